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
# # 05 · Code generation
#
# Does a model that learned what programs *do* still *write* programs, and are more of
# them right? The paper asks this with HumanEval, MBPP and their stricter EvalPlus forms
# (section 6.1, table 1). The measure is **pass@1**: the share of tasks that are solved by
# the one program which the model wrote for each of them.
#
# A program is right when it passes the task's tests, and for that it has to be run. So
# the program under test must not be able to fake its result, and a score must say how
# sure it is.
#
# You will see one task on its way from prompt to verdict, two cheats that are caught,
# then all models on all benchmarks, and why two scores whose intervals overlap can still
# differ.

# %% tags=["parameters"]
profile = "smoke"  # a name in profiles/; papermill puts the run's own here
run_name = ""  # the folder under runs/; the profile's name when empty
settings = ""  # "key=value key=value": overrides of the profile

# %%
from semcoder_lib import begin

run = begin("05_codegen", profile, run_name, settings)
p = run.profile

# %% [markdown]
# ## The models
# The **base** model as it came, and the **tuned** one: the same weights with the adapter
# that notebook 04 trained. Another base model is given with the setting `model`, an
# adapter of your own with `adapter`; `adapter=none` evaluates the base model alone.

# %%
from semcoder_lib.report import display
from semcoder_lib.run.models import models_of

models = {model.label: model for model in models_of(run)}
display.table(
    [{"label": m, "model": x.base, "adapter": bool(x.adapter)} for m, x in models.items()]
)

# %% [markdown]
# ## One task
# HumanEval comes with an installed package, so it is always here. A task is the head of a
# function with its docstring. The model has to write the body. It never sees the tests.

# %%
from semcoder_lib import evaluation
from semcoder_lib.evaluation import answers

humaneval = evaluation.get("humaneval")
task = answers.sample_tasks(humaneval.load(), p.codegen_tasks, p.seed)[0]
display.code(task.data["prompt"])

# %% [markdown]
# ## How the model is asked
# A tuned model is asked **as it was trained**: an instruction, then the answer, which the
# prompt begins with an opened fence and the head of the function. A base model has never
# seen that form. It is asked in several (`baseline_forms` of the profile), and its best
# one counts. Otherwise we would measure how well a model knows our prompt, and call that
# a gain.
#
# Below are two forms, byte for byte as the model gets them: on the left `completion`, the
# bare problem to be continued, on the right `instruction`. A `Plan` is tasks of a
# benchmark and the form in which they are asked; `code_plans` makes one plan for each
# benchmark and form. Here each plan holds the one task.

# %%
size, forms = p.codegen_tokens, ["completion", "instruction"]
pair = answers.code_plans({"humaneval": [task]}, forms, style=p.style, max_new_tokens=size)
asked = [plan.prompts(p.style, tokenizer=None)[0].text for plan in pair]
display.side_by_side(*map(display.code, asked))

# %% [markdown]
# ## What the model writes
# First the base model: one completion of each prompt, greedy, so that it is the same each
# time. `finish` says how it ended: `stop` at a string that closes the answer, `end` at the
# model's own end token, `length` when its `codegen_tokens` tokens were used up. Does it
# answer both forms alike?

# %%
cache = run.path("cache_by_hand.jsonl")
rows = run.step("by_hand.jsonl", answers.complete, models["base"], pair, style=p.style, cache=cache)
texts = [answers.completions_of(plan, rows)[0] for plan in pair]
print("tokens:", [text.tokens for text in texts], "finish:", [text.finish for text in texts])
display.side_by_side(*(display.code(text.text) for text in texts))

# %% [markdown]
# ## The program in it
# A completion is a text. It may hold half a function, a second one, examples, praise.
# *Extraction* puts the program together: the head from the prompt, the body from the
# completion, helpers and imports that it needs, and nothing that would run at import.
# Where no function is found the status is `no_answer`: something else than a wrong
# program.

# %%
extracted = [humaneval.extract(task, text.text) for text in texts]
programs = [answer.text or "nothing in this text defines the function" for answer in extracted]
display.side_by_side(*map(display.code, programs))

# %% [markdown]
# ## The verdict
# The program runs in one sandbox and the tests run in **another**. Only values pass
# between the two, as text. So a program can be wrong, can crash, can run for ever; it can
# not report a success. `status` says what became of it: `passed`, `wrong` (a test failed),
# `exception`, `timeout`, and so on. `trust` says who could have forged the verdict: `split`
# means nobody who does not control the tests' own sandbox.

# %%
verdicts = [humaneval.verdict(task, answer, box=run.box) for answer in extracted]
facts = [{name: getattr(v, name) for name in ("status", "detail", "trust")} for v in verdicts]
display.table([{"form": form, **fact} for form, fact in zip(forms, facts, strict=True)])

# %% [markdown]
# ## Can the scorer be fooled?
# Before a score is believed, the scorer is tested: the benchmark's own solution must
# pass, and nothing must not. Then two cheats of a kind that models have been seen to
# write. One ends the process as if all had gone well. The other returns an object that
# says it is equal to everything.

# %%
from semcoder_lib.evaluation.codegen import reference

head = f"def {task.data['entry_point']}(*arguments):\n"
same = "class Same:\n    def __eq__(self, other):\n        return True\n\n"
programs = {
    "the task's own solution": reference(task),
    "nothing": "",
    "ends the process": f"import os\n\n{head}    os._exit(0)\n",
    "equal to everything": f"{same}{head}    return Same()\n",
}
display.code(programs["equal to everything"])

# %% [markdown]
# Two scorers judge them. `strict` is ours. `official` is the rule of the published
# script: solution and tests in one process, passed if the tests come to their end. Look
# at the last row: what equals everything passes every `assert` that meets it there. In
# `strict` it never meets one, since an object of a class of its own cannot leave its
# sandbox as text. So `strict` counts, unless the setting `scorer` says otherwise.

# %%
rows = []
for label, text in programs.items():
    answer = evaluation.Answer(text)
    judged = {s: humaneval.verdict(task, answer, scorer=s, box=run.box) for s in evaluation.SCORERS}
    rows.append({"program": label, **{s: verdict.status for s, verdict in judged.items()}})
display.table(rows)

# %% [markdown]
# ## The benchmarks
# Those of `codegen_benchmarks` whose files are found. One that is not here is named, with
# where it was looked for; nothing is downloaded on its own, and no number is made up for
# it. `codegen_tasks` takes a fixed random slice of each. The names with a plus are the same
# tasks with many more tests (EvalPlus): a program that is right by luck on the few tests
# of the original does not stay right there, so expect the lower score of the pair.

# %%
names = p.names("codegen_benchmarks")
tasks, missing = answers.tasks_of(names, p.codegen_tasks, p.seed)
here = {name: len(sample) for name, sample in tasks.items()}
display.counts(here | missing, "benchmark", "tasks, or why not")

# %% [markdown]
# ## The preflight
# The test of the scorer from above, now on every task: all references pass, all empty
# answers fail, and in `strict` all planted cheats fail (they stand in
# `semcoder_lib/evaluation/probes.json`). If one of these does not hold, the notebook
# stops here, because no score after it would mean anything.
#
# The numbers are shares of the tasks that pass, for `cheats` of the cheat that gets
# furthest. The last columns are the best *constant* program, such as `return True`.
# Whoever scores no more than that has learned nothing about the tasks.

# %%
checked = {}
for name, sample in tasks.items():
    file, check = f"preflight_{name.replace('+', '_plus')}.json", evaluation.get(name).preflight
    checked[name] = run.step(file, check, sample, scorer=p.scorer, box=run.box)
columns = ("benchmark", "tasks", "reference", "empty", "cheats", "constant", "constant_rate")
worst = [row | {"cheats": max(row["cheats"].values(), default=0.0)} for row in checked.values()]
display.table(worst, columns)

# %% [markdown]
# ## Who is asked what
# A plan for each benchmark and each form: for the tuned model the one of its rows of code,
# for the base model all. A tuned model whose training had no such rows (`nl_to_code` in
# `train_mix`) has no form of its own, and is asked in all as well: else we would measure
# how well it knows a prompt that it never saw. A form that would only repeat another one's
# prompt is left out.

# %%
own = sorted({"instruction", *p.codegen_forms})
if p.shares["nl_to_code"]:
    own = ["chat"] if "chat" in own else ["instruction"]
plans = {}
for label in models:
    forms = p.codegen_forms if label == "base" else own
    plans[label] = answers.code_plans(tasks, forms, style=p.style, max_new_tokens=size)
names = {label: ", ".join(x.name(label) for x in asked) for label, asked in plans.items()}
display.counts(names, "model", "plans")

# %% [markdown]
# ## All completions
# A model is loaded once and gets all its prompts together, since a small model writes
# many texts nearly as fast as one. Each finished text is kept at once; a run that was
# stopped goes on from there.

# %%
written = {}
for label, model in models.items():
    name, cache = f"completions_{label}.jsonl", run.path(f"cache_{label}.jsonl")
    asked = plans[label]
    written[label] = run.step(name, answers.complete, model, asked, style=p.style, cache=cache)
display.counts({label: len(rows) for label, rows in written.items()}, "model", "completions")

# %% [markdown]
# ## All verdicts
# Every program goes into the sandbox. Each plan leaves two files: `completions_…`, which
# `semcoder_lib score` reads, and `verdicts_…`, by which `semcoder_lib compare` says whether
# one run is significantly worse than another.

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
# pass@1 with its 95 % interval: had other tasks of the same kind been drawn, the score
# would most likely lie in there. (It is a **bootstrap** over the tasks: as many tasks are
# drawn from these at random, with repeats, many thousand times, and the middle 95 % of the
# scores are kept. Where all or none are right it is the exact binomial bound.) Few tasks
# give a wide interval, and no wording makes it narrower. `stopped_by_itself` is the share of
# texts that ended before their tokens were used up: a model that does not know when to stop
# loses tasks by that alone.

# %%
scores = [e.row for e in evaluated]
columns = ("benchmark", "model", "setting", "value", "low", "high", "n", "stopped_by_itself")
display.table(scores, columns)

# %% [markdown]
# The same as a picture. Bars are scores, the thin lines are the intervals.

# %%
from semcoder_lib.report import figures, paper

display.figure(figures.scores(scores, paper.TITLES))

# %% [markdown]
# ## When do two scores differ?
# Suppose one model solves 40 of 100 tasks and another one 50. Their intervals overlap. Is
# nothing known, then? That depends on **which** tasks. In one case the second model
# solves all that the first one does, and ten more. In another case each solves many that
# the other does not. Both cases have the same two scores.

# %%
from semcoder_lib.evaluation import scoring

first = [1.0] * 40 + [0.0] * 60
more = [1.0] * 50 + [0.0] * 50
others = [0.0] * 25 + [1.0] * 50 + [0.0] * 25
intervals = {
    "first model": scoring.mean_interval(first),
    "second model, in both cases": scoring.mean_interval(more),
    "difference, if it solves the same and ten more": scoring.paired_difference(first, more),
    "difference, if it solves others": scoring.paired_difference(first, others),
}
display.table(
    [{"": k, "value": i.value, "low": i.low, "high": i.high} for k, i in intervals.items()]
)

# %% [markdown]
# The two scores hide that both models were asked the **same** tasks. What is hard is hard
# for both, and this common part cancels in the difference, task by task. So a gain is
# believed when the interval of the *paired difference* lies above zero, and never because
# two bars look different.
#
# ## Did training change anything?
# The base model in its best form against the tuned one, on the same tasks. `low` and
# `high` are the interval of the difference: where it holds zero, nothing is shown,
# neither a gain nor that there is none. `p_mcnemar` (McNemar's test) looks only at the
# tasks that changed sides: how often would a fair coin split them as unevenly as this?

# %%
differences = answers.differences(evaluated, p.seed)
display.table(differences)

# %% [markdown]
# ## How they fail
# A score says how many are wrong, not why. `no_answer` (no function was found) and
# `load_error` (it does not compile) are faults of form: more tokens or a better prompt
# may cure them. `wrong`, `exception` and `timeout` are faults of the program.

# %%
keys = ("benchmark", "model", "setting")
display.table([{key: s[key] for key in keys} | s["statuses"] for s in scores])

# %% [markdown]
# One that failed, to read. A table of statuses is soon believed; a text tells whether it
# is right.

# %%
pairs = [pair for e in evaluated for pair in zip(e.verdicts, e.completions, strict=True)]
failed = [(verdict, text) for verdict, text in pairs if not verdict.passed]
print(*(f"{verdict.task_id}: {verdict.status}" for verdict, _ in failed[-1:]))
display.code(failed[-1][1].text if failed else "none failed")

# %% [markdown]
# ## Things to try
# - **A cheat of your own.** In "Can the scorer be fooled?", add a program to `programs`:
#   one that prints `OK`, one that looks for the expected value in
#   `sys._getframe(1).f_locals`. Which of the two scorers lets it pass?
# - **Another form for the base model.** In the first cell set
#   `settings = "baseline_forms=completion,instruction,chat"`. Only what is new is
#   generated. Does a gain stay when the base model may choose among more forms?
# - **More room.** Set `settings = "codegen_tokens=256"`. Compare `stopped_by_itself` and
#   the counts of `no_answer` with those above: which failures were only cut off?

# %% [markdown]
# ## The card
# The numbers go into `results.json`, from which the report makes its part of table 1.

# %%
facts = {"missing": missing, "preflight": checked}
run.finish({"scores": scores, "differences": differences, **facts})
