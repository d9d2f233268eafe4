# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 06 · Execution reasoning
#
# Does the model know what a program *does*? There are two ways to ask. **Output
# prediction**: here is a program and a call, what comes back? **Input prediction**: here
# is a program and what came back, what could the call have been? The first one is
# simulation, the second one deduction (paper, section 6.1, tables 1 and 5).
#
# The model may answer at once, or think first: in a *monologue*, as notebook 04 taught
# it. The paper's main claim is that this helps much: on CRUXEval's outputs its model of
# 6.7 billion weights goes from 41.2 % before training to 65.1 % with a monologue, and to
# 47.9 % without one. A second question is seldom asked: are the steps of a right answer
# right, too?
#
# You will see one program asked about in both ways, with the model's own sentences in the
# verifier's colours; then all programs and all models; then how often a right answer was
# luck.

# %% tags=["parameters"]
profile = "smoke"  # a name in profiles/; papermill puts the run's own here
run_name = ""  # the folder under runs/; the profile's name when empty
settings = ""  # "key=value key=value": overrides of the profile

# %%
from semcoder_lib import begin

run = begin("06_reasoning", profile, run_name, settings)
p = run.profile

# %% [markdown]
# ## Programs that nobody has learned
# **Held-out PyX** is always here: notebook 01 set whole *families* of programs aside, so
# that no near copy of them is in the training data. Of each source (real functions,
# synthesised, method-seeded) as many are asked about as of the others, where there are
# enough. Very long ones are left out, as they were in training.

# %%
from collections import Counter

from semcoder_lib.evaluation import answers
from semcoder_lib.report import display

corpus = run.kept("01_pyx/pyx.jsonl")[0]
held_out = [e for e in corpus if e.program.split == "held_out"]
short = [e for e in held_out if len(e.program.source) <= p.program_chars]
entries = answers.balanced(short, p.held_out_items, p.seed)
run.need(entries, "held-out programs")
print(f"{len(corpus)} programs, {len(held_out)} held out, {len(short)} of them short enough")
display.counts(Counter(e.program.origin for e in entries), "origin", "programs asked about")

# %% [markdown]
# ## One of them
# A program is asked about with **one** of its cases, so that the answers are independent
# of each other. It is the case that is hardest to guess: where the output is neither one
# of the arguments nor what the program returns most of the time, since copying and
# repeating are not reasoning.

# %%
from semcoder_lib import evaluation

# pyx-o asks for outputs, pyx-i for inputs
tasks = {name: evaluation.get(name).from_entries(entries) for name in ("pyx-o", "pyx-i")}
place = next((n for n, e in enumerate(entries) if "for " in e.program.source), 0)
task = tasks["pyx-o"][place]
print(task.data["call"], "gives", task.data["output"])
display.code(task.data["code"])

# %% [markdown]
# ## The prompt
# Byte for byte what the model gets, in output prediction with a monologue: the same form
# as in its training, lines numbered so that the monologue can name them. The question is
# an assertion with `??` where the answer belongs. The prompt ends inside the answer, with
# the opening tag of the monologue; asked directly, it would end with that of the answer.

# %%
thinking = answers.Setting("monologue", "monologue", max_new_tokens=p.reasoning_tokens)
plans = {name: answers.Plan(name, [asked[place]], thinking) for name, asked in tasks.items()}
display.code(plans["pyx-o"].prompts(p.style, tokenizer=None)[0].text)

# %% [markdown]
# ## The monologue
# Now the tuned model writes, for both ways of asking. It stops before `[/ANSWER]`, or
# when its `reasoning_tokens` tokens are used up. Then its monologue is cut after the last
# whole line, closed, and the model is **made to answer**: its `finish` is `forced`. In the
# smoke profile it has learned next to nothing and is cut off early: do not expect sense
# from it there.
#
# *With the profile `workshop`: about 20 seconds.*

# %%
from semcoder_lib.run.models import models_of

models = {model.label: model for model in models_of(run)}
label, model = list(models.items())[-1]
cache = run.path("cache_by_hand.jsonl")
asked = list(plans.values())
rows = run.step("by_hand.jsonl", answers.complete, model, asked, style=p.style, cache=cache)
texts = {name: answers.completions_of(plan, rows)[0] for name, plan in plans.items()}
print("model:", label, "· finish:", texts["pyx-o"].finish)
display.code(texts["pyx-o"].text)

# %% [markdown]
# ## Its answer, read strictly
# From the text only the assertion after `[ANSWER]` counts, and in it what follows `==`.
# It has to be a **literal**: it is read, never executed, and compared with the recorded
# output here. A text without an assertion has `no_answer`; an expression is
# `unparseable`, even if it has the right value, for then Python would have done the work.

# %%
outputs, inputs = evaluation.get("pyx-o"), evaluation.get("pyx-i")
answer = outputs.extract(task, texts["pyx-o"].text)  # None where there is no answer
status = outputs.verdict(task, answer, box=run.box).status
facts = {"its answer": answer.text, "the recorded output": task.data["output"], "status": status}
display.counts(facts, "verdict", "value")

# %% [markdown]
# How strict that is, with four answers by hand. `official` is the rule of CRUXEval's
# script: it writes `assert`, the output, `==` and the answer into a program and runs it.
# Look at the second row: it passes there, whatever the program does.

# %%
output, rows = task.data["output"], []
for text in (output, "0 or True", f"[{output}][0]", "'something else'"):
    answer = evaluation.Answer(text)
    judged = {s: outputs.verdict(task, answer, scorer=s, box=run.box) for s in evaluation.SCORERS}
    rows.append({"answer": text, **{s: verdict.status for s, verdict in judged.items()}})
display.table(rows)

# %% [markdown]
# ## Its steps, checked
# The verifier of notebook 02 reads the **model's own** monologue: green is supported by
# the recorded execution, red is contradicted, grey is nothing that can be decided. Hover
# over a colour to see why. Is the answer right although a step before it is red? (The
# closing tag, before which generation stops, is put back.)

# %%
from semcoder_lib import monologues

program, case = task.data["program"], task.data["case"]
text = texts["pyx-o"].text + "\n[/ANSWER]"
report = monologues.verify(text, program, case, run.box, direction="forward")
print(report.supported, "supported,", report.contradicted, "contradicted")
display.marked(text, report.claims)

# %% [markdown]
# ## The other way round
# The same program, asked about its input. The prompt holds the output; the model deduces
# backwards from it. **Any** input that gives this output is right, so here the program is
# run, in the sandbox, on the literal arguments of the answer, and what it returns is
# compared outside. The answer itself is still never executed.

# %%
answer = inputs.extract(task, texts["pyx-i"].text)
text = texts["pyx-i"].text + "\n[/ANSWER]"
report = monologues.verify(text, program, case, run.box, direction="backward")
print(f"the answer: {answer.text!r} ·", inputs.verdict(task, answer, box=run.box).status)
display.marked(text, report.claims)

# %% [markdown]
# To see that several inputs can be right: the call of the corpus, and below it the one at
# which the writer of notebook 02 arrives, which has never seen the first. A comparison of
# texts would call the second one wrong.

# %%
deduced = monologues.backward(program, case.output, run.box, seed=p.seed)
calls = [task.data["call"], monologues.call_text(program, deduced.case) if deduced else "none"]
judged = {call: inputs.verdict(task, evaluation.Answer(call), box=run.box) for call in calls}
display.counts({call: verdict.status for call, verdict in judged.items()}, "call", "status")

# %% [markdown]
# ## A model of your own
# Whatever turns a prompt into a text can be evaluated, in one line. This "model" always
# says `True`. It shows what a score is worth: a model that is no better than a constant
# has not understood anything. `shots=2` puts two worked examples into the prompt.

# %%
from semcoder_lib import evaluate


def always_true(prompt):
    """The simplest of all baselines."""
    return " True\n[/ANSWER]"


corpus_file = run.file("01_pyx/pyx.jsonl")
print(evaluate("pyx-o", always_true, shots=2, data=corpus_file, box=run.box))

# %% [markdown]
# ## CRUXEval and LiveCodeBench, where they are
# 800 short functions with one call each, on which models are usually compared, and 479 calls from
# programming contests. Their files are not shipped with this kit. What is not found is named here,
# and the report says the same; held-out PyX stays.

# %%
names = ("cruxeval-o", "cruxeval-i", "lcb-execution")
cruxeval_tasks, missing = answers.tasks_of(names, p.cruxeval_items, p.seed)
tasks |= cruxeval_tasks
here = {name: len(sample) for name, sample in tasks.items()}
display.counts(here | missing, "benchmark", "tasks, or why not")

# %% [markdown]
# ## Who is asked how
# The tuned model thinks in a monologue, and answers directly for comparison. The base
# model has never seen a monologue: it gets two worked examples (`2shot`), with the answer
# alone and, where `baseline_forms` has `cot`, with a free chain of thought; its best form
# counts. Such texts are long, so `reasoning_items` may ask for fewer of them. A `Setting`
# is one way of asking: its name, what comes before the answer, how many worked examples,
# how many tokens.

# %%
lengths = {"direct": p.baseline_tokens, "cot": p.reasoning_tokens, "monologue": p.reasoning_tokens}
forms = [f for f in ("direct", "cot") if f in p.names("baseline_forms")] or ["direct"]
untuned = [answers.Setting(f"{f}_2shot", f, 2, lengths[f]) for f in forms]
tuned = [answers.Setting(f, f, 0, lengths[f]) for f in ("monologue", "direct")]
plans = {label: [] for label in models}
for label, name in [(label, name) for label in models for name in tasks]:
    for how in untuned if label == "base" else tuned:
        limit = p.reasoning_items if how.steps else 0
        asked = answers.sample_tasks(tasks[name], limit, p.seed)
        plans[label].append(answers.Plan(name, asked, how))
rows = [(plan.name(label), plan) for label, asked in plans.items() for plan in asked]
display.counts({name: len(plan.tasks) for name, plan in rows}, "plan", "tasks")

# %% [markdown]
# ## All answers
# As in notebook 05: each model is loaded once, gets all its prompts together, and every
# finished text is kept at once.
#
# *With the profile `workshop`: about a minute.*

# %%
written = {}
for label, model in models.items():
    name, cache = f"completions_{label}.jsonl", run.path(f"cache_{label}.jsonl")
    asked = plans[label]
    written[label] = run.step(name, answers.complete, model, asked, style=p.style, cache=cache)
display.counts({label: len(rows) for label, rows in written.items()}, "model", "completions")

# %% [markdown]
# ## All verdicts
# Outputs are compared here; for inputs the programs run in the sandbox. As before there is
# a file of completions and one of verdicts for each plan, for other tools and for
# `semcoder_lib compare`.

# %%
from semcoder_lib.core import records, workspace

evaluated = []
how = {"scorer": p.scorer, "box": run.box}
for label, plan in [(label, plan) for label, asked in plans.items() for plan in asked]:
    name, texts = plan.name(label), answers.completions_of(plan, written[label])
    workspace.write_jsonl(run.path(f"completions_{name}.jsonl"), map(records.to_row, texts))
    judged = run.step(f"verdicts_{name}.jsonl", answers.verdicts, plan, texts, **how)
    score = answers.evaluated(plan, label, texts, judged, scorer=p.scorer, seed=p.seed)
    evaluated.append(score)
print(sum(len(e.verdicts) for e in evaluated), "verdicts")

# %% [markdown]
# ## The scores
# The share of right answers with its 95 % interval. `stopped_by_itself` matters here, and
# `forced`, the share of monologues that ran out of tokens and were made to answer. If many
# are, the model needs more tokens, or has not learned to come to an end.

# %%
scores = [e.row for e in evaluated]
columns = ("benchmark", "model", "setting", "value", "low", "high", "n", "stopped_by_itself")
columns += ("forced",)
display.table(scores, columns)

# %% [markdown]
# The same as a picture: bars are scores, thin lines are intervals. Which of the
# differences would you bet on?

# %%
from semcoder_lib.report import figures, paper

display.figure(figures.scores(scores, paper.TITLES))

# %% [markdown]
# ## Beside a longer training
# The kit ships a model that was trained in the same way for an evening (`adapters/`). Here it
# answers up to 24 of the same questions, directly, and the others are counted on these alone. (Where
# `pyx_held_out` is larger than its 0.06, it may have been trained on some of these programs.)
#
# *With the profile `workshop`: about 15 seconds.*

# %%
from semcoder_lib.run.models import shipped

beside, names = [], ("pyx-o", "pyx-i")
if longer := shipped(p):
    few = [answers.sample_tasks(tasks[name], 24, p.seed) for name in names]
    asked = [answers.Plan(name, some, tuned[1]) for name, some in zip(names, few, strict=True)]
    file, cache = "completions_shipped.jsonl", run.path("cache_shipped.jsonl")
    rows = run.step(file, answers.complete, longer, asked, style=p.style, cache=cache)
    for plan in asked:
        direct = [e for e in evaluated if e.setting.startswith("direct")]
        judged = {e.model: e.verdicts for e in direct if e.benchmark == plan.benchmark}
        texts, ids = answers.completions_of(plan, rows), {task.task_id for task in plan.tasks}
        judged["shipped"] = answers.verdicts(plan, texts, **how)
        for label, verdicts in judged.items():
            right = sum(v.passed for v in verdicts if v.task_id in ids)
            beside.append({"asked": plan.benchmark, "model": label, "right": right, "of": len(ids)})
display.table(beside)

# %% [markdown]
# ## Did training help, and does thinking?
# The base model in its best form against each form of the tuned one, on the same tasks
# (why paired: notebook 05). An interval above zero is a gain. Compare the rows
# `monologue` and `direct`: in the paper thinking gives most of the gain; a small model may
# gain more from answering at once, because a long text is one more thing to get wrong.

# %%
differences = answers.differences(evaluated, p.seed)
display.table(differences)

# %% [markdown]
# ## Each source apart
# Synthesised and method-seeded programs resemble the training data more than real functions
# do, even from families that were held out. A gain on those alone is a gain in knowing our
# generators.

# %%
from dataclasses import replace

from semcoder_lib.corpus import by_origin

parts = []
for part, of_part in by_origin(entries).items():
    ids = {entry.program.id for entry in of_part}
    for e in evaluated:
        verdicts = [v for v in e.verdicts if v.task_id in ids]
        texts = [c for c in e.completions if c.task_id in ids]
        if verdicts:
            parts.append({**replace(e, verdicts=verdicts, completions=texts).row, "part": part})
display.table(parts, ("part", *columns))

# %% [markdown]
# ## Is the reasoning true?
# What was done above with one text is done here with all monologues about held-out outputs.
# The first columns count the answers, the last ones count the claims of all texts. The column
# to look at is `right_on_a_contradicted_step`: answers that a filter on answers would
# keep, in spite of a step that did not happen so. They are luck, or a correct thought
# that the text does not tell.

# %%
from semcoder_lib.evaluation import analysis

faithful = []
for e in evaluated:
    if (e.benchmark, e.setting) == ("pyx-o", "monologue"):
        name = f"faithfulness_{e.model}.json"
        faithful.append(run.step(name, analysis.faithfulness, e, tasks["pyx-o"], box=run.box))
claims = ("supported", "contradicted", "unverifiable")
counts = ("benchmark", "model", "n", "right", "right_on_a_contradicted_step", *claims)
display.table(faithful, counts)

# %% [markdown]
# Which kinds of steps go wrong? `true` is the share of the decided claims of a kind that the
# execution supports. A claim may be about a `value`, the `order` of the lines, the `answer`;
# `text` is what the verifier could not read.

# %%
steps = [row for counted in faithful for row in counted.pop("steps")]
display.table(steps, ("model", "step", *claims, "true"))

# %% [markdown]
# ## And the authors' own model?
# The authors published what their SemCoder-S wrote for CRUXEval. Where these files are
# found the texts are scored here, by both rules, and read by the same verifier: the first
# limitation that the paper names (appendix A), in numbers. The smoke profile leaves this
# out, and what is not found is named at the end of the report.

# %%
from semcoder_lib.evaluation import data

few = 40 if p.cruxeval_items >= 10 else 0  # texts a direction; -1: all, where CRUXEval is whole
limit = few if p.cruxeval_items else -1
RELEASED, files = "SemCoder-S 1030 (released)", {}
for name, asked_for in {"cruxeval-o": "output", "cruxeval-i": "input"}.items():
    file = f"semcoder_s_1030_cruxeval_{asked_for}_monologues.jsonl.gz"
    how_to = f"{file} was not found; `python -m semcoder_lib data` says how to get it"
    why = missing.get(name) or ("" if data.find(file) else how_to)
    if limit and why:
        missing[f"{name}, released texts"] = why
    elif limit:
        files[name] = data.find(file)
display.counts({name: file.name for name, file in files.items()}, "benchmark", "their texts")

# %% [markdown]
# First the scores, by the command that scores anybody's file of texts: `semcoder_lib score`. The
# official rule is the one of the paper's tables.


# %%
def score_texts(files, benchmark, box):
    """The scores of files of texts under both rules, as rows like those above."""
    rows = []
    for name, scorer in [(name, s) for name in files for s in ("official", "strict")]:
        how = {"scorer": scorer, "data": benchmark, "box": box}
        score = evaluation.score_command(name, files[name], **how)
        row = {"benchmark": name, "model": RELEASED, "setting": "monologue", "scorer": scorer}
        low, high = score["interval"]
        rows.append({**row, "value": score["pass@1"], "low": low, "high": high, "n": score["n"]})
    return rows


published = run.step("released.jsonl", score_texts, files, data.find("cruxeval.jsonl"), box=run.box)
display.table(published, ("benchmark", "model", "scorer", "value", "n"))

# %% [markdown]
# Then the steps, in the columns of the table above. A large model writes freely, so more
# of its claims are in words that the verifier cannot decide.


# %%
def check_texts(files, limit, seed, box):
    """What the verifier says of `limit` texts of each file (0: of all)."""
    rows = []
    for name, file in files.items():
        texts = [row for _, row in data.read_rows(file, ("task_id", "text"))]
        study = monologues.study(answers.sample_tasks(texts, limit, seed), box)
        row = {"benchmark": name, "model": RELEASED, "n": study["checked"], "right": study["right"]}
        row["right_on_a_contradicted_step"] = study["right_with_contradiction"]
        rows.append({**row, **{status: study[status] for status in claims}})
    return rows


how = {"limit": max(0, limit), "seed": p.seed, "box": run.box}
theirs = run.step("released_faithfulness.jsonl", check_texts, files, **how)
display.table(theirs, counts)

# %% [markdown] tags=["exercise"]
# ## Exercise 1: better than a constant, without a thought
# `always_true` has not understood anything. Beat it on six small programs with a few lines that
# have not, either: a function from a prompt to an answer that looks at the call only. In a prompt
# come two worked examples first; it ends like this:
#
# ```text
# [ANSWER]
# assert tidy(['a', 'b']) ==
# ```


# %% tags=["solution"]
def guess(prompt):
    """Return the text of a literal, and `[/ANSWER]` after it, for the prompt's last assertion."""
    call = prompt.rpartition("assert ")[2].rpartition(" ==")[0]
    argument = call.partition("(")[2].removesuffix(")")
    return argument + "\n[/ANSWER]"


# %% tags=["check"]
from semcoder_lib.run import check

check.e06_1(guess)

# %% [markdown] tags=["instructor"]
# Five minutes. Whoever takes the first `assert` answers a worked example. Give `guess` to `evaluate`
# in place of `always_true`: on held-out PyX neither gets anywhere, since the cases were chosen so.
# Say: a score means nothing without its cheapest rival.

# %% [markdown] tags=["exercise"]
# ## Exercise 2: the strict reader
# Write the rule by which an answer is right: it is a *literal* with the recorded value. The answer
# is the text of a stranger, so nothing of it may be executed.


# %% tags=["solution"]
def is_right(answer, output):
    """Return True if the text `answer` is a literal with the value of the text `output`, and False
    for another value, an expression, or what is no Python at all."""
    import ast

    try:
        return ast.literal_eval(answer) == ast.literal_eval(output)
    except (ValueError, SyntaxError):
        return False


# %% tags=["check"]
from semcoder_lib.run import check

check.e06_2(is_right)

# %% [markdown] tags=["instructor"]
# Five minutes. Comparing texts refuses `[1,2]`; `eval` takes `3 + 4`, and anything worse. Say: the
# rule of scoring is part of the result, and the strict and the official one are both reported.

# %% [markdown]
# ## Things to try
# - **A better baseline.** In "A model of your own", let the function return the first
#   literal that stands in its prompt's last call instead of `True`. Does copying an
#   argument beat a constant?
# - **Harder to guess, or not.** In "One of them", look at `entries[place].cases`: which of
#   them would be the easiest to guess, and by which rule?
# - **More room for thought.** In the first cell set `settings = "reasoning_tokens=256"`.
#   How does `stopped_by_itself` change, and do right answers come with it?

# %% [markdown]
# ## The card
# The numbers go into `results.json`, from which the report makes tables 1, 5 and 6.

# %%
results = {"scores": scores, "differences": differences, "parts": parts, "missing": missing}
run.finish(results | {"claims": steps, "faithfulness": faithful + theirs, "released": published})
