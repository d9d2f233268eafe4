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
# # 07 · Does the format matter?
#
# An execution can be told to a model in many forms: the answer alone, a scratchpad of states, the
# traces of earlier papers, a monologue. The paper's table 2 finds monologues far ahead. A later
# paper (arXiv 2509.11686) disputes that traces help at all. Both compare forms *trained on the same
# executions*; so do we. That is what an **ablation** is: all stays the same but one thing.
#
# | Format | What stands before the answer |
# |---|---|
# | `direct` | nothing |
# | `scratchpad` | the program, each line with the states that it made as a comment |
# | `next` | the same, the states numbered in the order of execution, long loops shortened |
# | `concise` | one short line for each executed line, in the order of execution |
# | `monologue` | sentences, as in notebook 02 |
# | `shuffled` | a monologue whose steps are exchanged: true form, wrong content |
# | `answer_only` | as many characters as the monologue has, in empty words |
#
# The last two are **controls**. They tell form from content: a monologue that beats `direct` and
# not its controls has taught the model to talk, not to reason.
#
# You will see one execution in every format, what each one costs in tokens, one small training per
# format, the scores with their intervals, and the step at which each format's reasoning breaks.

# %% tags=["parameters"]
profile = "smoke"  # a name in profiles/; papermill puts the run's own here
run_name = ""  # the folder under runs/; the profile's name when empty
settings = ""  # "key=value key=value": overrides of the profile

# %%
from semcoder_lib import begin

run = begin("07_ablation", profile, run_name, settings)
p = run.profile
formats = p.names("ablation_formats")
print("formats, the first is what the others are compared with:", ", ".join(formats))

# %% [markdown]
# ## The executions
# They come from the forward monologues of notebook 02, which were verified, in random order. The
# program, the input and the recorded trace are the same for every format.
#
# How many are needed? Each format is trained for `ablation_steps` steps of a few rows each. That is
# done once or several times, with other executions each time: the **seeds**. And with two seeds or
# more there are two **views**: `examples` gives every format the same executions, `tokens` gives
# every format the same amount of text. One view, one seed and one format are an **arm** of the
# comparison: one training, and one model to be asked.

# %%
import random

from semcoder_lib import tracing

corpus = run.kept("01_pyx/pyx.jsonl")[0]
programs = {entry.program.id: entry.program for entry in corpus}
accepted = run.kept("02_monologues/forward.jsonl")[0]
random.Random(f"{p.seed}:ablation").shuffle(accepted)
views = ["examples", "tokens"] if p.ablation_seeds > 1 else ["examples"]
step_rows = p.batch_rows or 4  # executions in each optimizer step
rows_wanted = p.ablation_steps * step_rows  # of one arm in the view `examples`
if views == ["examples"]:  # twice as many as needed: some are too long
    accepted = accepted[: 2 * rows_wanted * p.ablation_seeds]

# %% [markdown]
# Notebook 02 kept the texts, not the traces. So each call is recorded once more: the other formats
# are written from the trace.

# %%
pairs = [(programs[m.program_id], m.case) for m in accepted]
traces = tracing.trace_many(pairs, run.box)
executions = [
    (program, monologue, trace)
    for (program, _), monologue, trace in zip(pairs, accepted, traces, strict=True)
]
print(len(run.need(executions, "accepted monologues")), "executions")

# %% [markdown]
# ## One execution in every form
# The prompt is the same but for its last line, the tag that opens the reasoning or the answer; what
# differs is what stands before the answer. Look at how much of each text is *about the state of the
# program*: `concise` is hardly anything else. Look at where two states of one variable stand: side
# by side in `scratchpad`, far apart in `concise`. And at what a shuffled monologue still has: every
# word, and no sense.

# %%
from semcoder_lib import monologues
from semcoder_lib.report import display

program, monologue, trace = min(executions, key=lambda e: abs(len(e[1].text) - 500))
display.code(program.source)


# %%
def completion(format):
    """The text that a model learns to write in this format."""
    return monologues.ablation(program, monologue.case, trace, format, monologue=monologue)[1]


all_formats = ("direct", "scratchpad", "next", "concise", "monologue", "shuffled", "answer_only")
display.side_by_side(*(display.code(f"--- {f}\n{completion(f)}") for f in all_formats))

# %% [markdown]
# What one execution costs. The loss is on these tokens, so equal *examples* are not equal training:
# a monologue gives the model several times as many tokens to learn from as a direct answer. If it
# wins, is it by what it says or by how much? The view `tokens` answers that. There every format
# gets as many trained tokens as the longest one has: a short format sees more executions for them.

# %%
from semcoder_lib.models import assets, tokens

tokenizer = tokens.load_tokenizer(assets.locate(p.model))
sizes = {f: len(tokens.encode_completion(tokenizer, completion(f))) for f in all_formats}
display.counts(sizes, "format", "tokens")

# %% [markdown]
# ## The rows of each arm
# An execution that would be too long in one format of the run is left out of all: otherwise the
# long formats would train on easier programs. Each seed has its own part of the executions, where
# there are enough; within a seed all formats have the very same ones. The training has the dials of
# notebook 04; only the number of steps differs.

# %%
from semcoder_lib import training
from semcoder_lib.training.examples import equal_examples, equal_tokens, rows_by_format


def config(steps, seed):
    """How one arm is trained."""
    return training.Config(
        steps=steps,
        learning_rate=p.learning_rate,
        min_learning_rate=p.learning_rate / 10,
        batch_tokens=p.batch_tokens,
        batch_rows=step_rows,
        max_length=p.max_length,
        lora_rank=p.lora_rank,
        seed=p.seed + seed,
    )


# %%
pools = rows_by_format(
    executions, formats, tokenizer=tokenizer, config=config(1, 0), seed=p.seed, style=p.style
)


def rows_of(format, view, seed):
    """The rows of one arm, and how many optimizer steps go through them."""
    if view == "examples":
        return equal_examples(pools, format, rows_wanted, seed), p.ablation_steps
    rows, times = equal_tokens(pools, format, rows_wanted, seed, tokenizer)
    return rows, max(1, round(len(rows) * times / step_rows))


display.table([{"format": format, "rows": len(rows)} for format, rows in pools.items()])

# %% [markdown]
# ## Train one adapter per arm
# All start from the same base model, with the same learning rate, and in the view `examples` they
# take the same number of steps. (In `tokens` a short format has more rows, and so more steps.) This
# is the long part of the notebook; a killed training goes on from its last checkpoint.
#
# A single seed can mislead: train the *same* format on other executions, and the score may move by
# several points. Profiles that can afford it train two seeds or more, and the tables below average
# over them.
#
# *With the profile `workshop`: about 20 seconds.*

# %%
import itertools

arms = list(itertools.product(views, range(p.ablation_seeds), formats))


def name_of(view, seed, format):
    """The name of an arm's files."""
    return f"{format}_s{seed}" if view == "examples" else f"{format}_{view}_s{seed}"


def train(examples, base, config, folder):
    """One arm; the adapter stays in the folder."""
    result = training.train(examples, folder, base=base, config=config)
    counts = {"tokens": result.tokens, "trained_tokens": result.trained_tokens}
    return {"examples": len(examples), "steps": result.steps, **counts, "losses": result.losses}


# %%
trainings = []
for view, seed, format in arms:
    rows, steps = rows_of(format, view, seed)
    step = f"adapters/{name_of(view, seed, format)}/"
    outcome = run.step(step, train, rows, base=p.model, config=config(steps, seed))
    trainings.append({"format": format, "seed": seed, "view": view, **outcome})

# %% [markdown]
# What each arm was given. In the view `examples` the column `examples` is the same for all, and in
# the view `tokens` the column `trained_tokens`, nearly.

# %%
columns = ("view", "format", "seed", "examples", "steps", "tokens", "trained_tokens")
display.table(trainings, columns)

# %% [markdown]
# The loss of each arm. These curves cannot be compared with each other: a long trace full of words
# that are easy to predict has a low loss and may teach nothing, and the few tokens of a direct
# answer are all hard. That is why the arms are judged by what they answer, not by their loss.

# %%
from semcoder_lib.report import figures

curves = {
    f"{t['format']} ({t['seed']}){'' if t['view'] == 'examples' else ', equal tokens'}": t["losses"]
    for t in trainings
}
display.figure(figures.loss_curve(curves))

# %% [markdown]
# ## The items
# What every arm is asked: the output of a call. The programs are held-out ones, of each source in
# equal numbers where there are enough, and CRUXEval's where its file is at hand. Every arm answers
# the same items, so that differences can be paired.

# %%
from semcoder_lib import evaluation
from semcoder_lib.evaluation import answers

held_out = [e for e in corpus if e.program.split == "held_out"]
short = [e for e in held_out if len(e.program.source) <= p.program_chars]
chosen = answers.balanced(short, p.ablation_items, p.seed)
cruxeval, missing = answers.tasks_of(["cruxeval-o"], p.ablation_items, p.seed)
items = {"pyx-o": evaluation.get("pyx-o").from_entries(chosen)} | cruxeval
here = {name: len(tasks) for name, tasks in items.items()}
display.counts(here | missing, "benchmark", "items, or why not")

# %% [markdown]
# ## Ask every arm
# Each adapter is asked in the form that it was trained in; the controls as the monologue is. Only
# the answer counts here, read and judged as in notebook 06; the steps before it are looked at
# further below. A format with long texts may run out of tokens among its steps. Then it is made to
# answer at once, as in notebook 06: it loses the steps that it had no room for, not the item.
#
# *With the profile `workshop`: about 40 seconds.*


# %%
def plans_of(format):
    """What an arm of this format is asked, benchmark by benchmark."""
    reasoning = "monologue" if format in monologues.CONTROLS else format
    length = p.baseline_tokens if format == "direct" else p.reasoning_tokens
    setting = answers.Setting(format, reasoning, 0, length)
    return [answers.Plan(name, tuple(tasks), setting) for name, tasks in items.items()]


def ask(view, seed, format):
    """The scores of one arm, from the kept completions and verdicts."""
    label, scores_of_arm = name_of(view, seed, format), []
    here = "auto" if p.server else p.backend  # no server has what was trained here
    model = answers.Model(label, p.model, run.path(f"adapters/{label}"), here)
    cache = run.path(f"cache_generations_{label}.jsonl")
    plans = plans_of(format)
    rows = run.step(
        f"completions_{label}.jsonl", answers.complete, model, plans, style=p.style, cache=cache
    )
    for plan in plans:
        file, texts = f"verdicts_{plan.name(label)}.jsonl", answers.completions_of(plan, rows)
        judged = run.step(file, answers.verdicts, plan, texts, scorer=p.scorer, box=run.box)
        score = answers.evaluated(plan, label, texts, judged, scorer=p.scorer, seed=p.seed)
        scores_of_arm.append(score)
    return scores_of_arm


# %%
evaluated = {arm: ask(*arm) for arm in arms}  # for each arm its scores, benchmark by benchmark
scores = [
    {**score.row, "view": view, "seed": seed, "format": format}
    for (view, seed, format), scores_of_arm in evaluated.items()
    for score in scores_of_arm
]

# %% [markdown]
# ## Scores over the seeds
# For every task the mean over the seeds, then the mean over tasks with its 95 % interval. So each
# task counts once: three seeds on 100 tasks are not 300 tasks, and an interval that took them for
# 300 would be too narrow. The paired difference is against the first format, task by task, as
# explained in notebook 05.

# %%
from dataclasses import asdict

from semcoder_lib.evaluation import analysis, scoring


def over_seeds(view, format, place):
    """For each task the mean over the seeds, of the benchmark at this place in `items`."""
    runs = [evaluated[view, seed, format][place].passed for seed in range(p.ablation_seeds)]
    return {task: sum(run[task] for run in runs) / len(runs) for task in runs[0]}


pooled = []
for view, format in itertools.product(views, formats):
    for place, benchmark in enumerate(items):
        passed = over_seeds(view, format, place)
        common = {"view": view, "format": format, "benchmark": benchmark}
        interval = scoring.mean_interval(list(passed.values()), seed=p.seed)
        row = {**common, "seeds": p.ablation_seeds, **asdict(interval)}
        if format != formats[0]:
            before = over_seeds(view, formats[0], place)
            row["difference"] = asdict(scoring.paired_difference(before, passed, seed=p.seed))
        pooled.append(row)

# %% [markdown]
# Read the table down the formats of one benchmark and view. Where the interval of `direct` reaches
# over those of all others, this run has too few items to rank them.

# %%
columns = ("benchmark", "view", "format", "seeds", "value", "low", "high", "n")
display.table(pooled, columns)

# %% [markdown]
# The same as a picture. Bars are means over the seeds, thin lines their intervals, and each white
# dot is one seed. Dots that lie further apart than the bars of two formats say that the choice of
# the executions mattered more than the format.

# %%
from semcoder_lib.report import paper

display.figure(figures.format_bars(pooled, scores, paper.TITLES))

# %% [markdown]
# ## Paired differences
# The number to believe: each format against the first one on the same tasks. An interval that holds
# zero says that this run cannot tell the two apart. It does not say that they are equal. If the
# controls are in the run, look at them first: what `shuffled` gains over `direct` is gained by
# form.

# %%
paired = [
    {"benchmark": row["benchmark"], "view": row["view"], "format": row["format"], **difference}
    for row in pooled
    if (difference := row.get("difference"))
]
display.table(paired)

# %% [markdown]
# The same for each seed apart, with McNemar's test of notebook 05. Do all seeds point the same way?
# A gain that one seed has and the other has not is not a gain of the format.

# %%
differences = []
for (view, seed, format), scores_of_arm in evaluated.items():
    if format != formats[0]:
        for before, after in zip(evaluated[view, seed, formats[0]], scores_of_arm, strict=True):
            row = answers.difference_row(before, after, p.seed)
            differences.append({**row, "view": view, "seed": seed, "format": format})
columns = ("benchmark", "view", "format", "seed", "value", "low", "high", "n", "p_mcnemar")
display.table(differences, columns)

# %% [markdown]
# ## Where chains break
# A score says how often the answer is right. It does not say whether the steps before it are. Here
# every step that a model wrote is compared with the recorded execution: claims of a monologue by
# the verifier, lines of a trace one by one with those that the execution gives in this format. The
# steps of one text are a **chain**. How far is it right, counted from its beginning? It is `whole`
# when no step is wrong and the text comes to its end.
#
# For that the calls of the held-out items are recorded, too.

# %%
tasks = {task.task_id: task.data for task in items["pyx-o"]}
executed = [(data["program"], data["case"]) for data in tasks.values()]
recorded = dict(zip(tasks, tracing.trace_many(executed, run.box), strict=True))

# %% [markdown]
# One row for each format that has steps, all seeds together. Look at `right` (answers) beside
# `right_by_right_steps`. Right answers that do not rest on a whole chain were guessed, or are right
# in spite of a wrong step. If most are of that kind, the format's steps are decoration, whatever
# its score is. `right_steps` of `steps` counts the steps before the first wrong one.

# %%
chain_rows = []
for view, format in itertools.product(views, formats):
    chains_and_answers = []
    for seed in range(p.ablation_seeds):
        answered = evaluated[view, seed, format][0]  # the first benchmark: held-out PyX
        chains_and_answers += analysis.chains_of(answered, format, tasks, recorded, run.box)
    if chains_and_answers:
        summary = analysis.summary(*map(list, zip(*chains_and_answers, strict=True)))
        chain_rows.append({"view": view, "format": format, **summary})
columns = ("view", "format", "n", "whole", "right", "right_by_right_steps", "right_steps", "steps")
display.table(chain_rows, columns)

# %% [markdown]
# The figure shows, for every number of steps, which share of the chains is still right that far. A
# curve that falls by the same factor at every step says: each step goes wrong with the same
# probability, and long executions are lost for that reason alone. A curve that falls at once says
# that the model did not understand the call. (A step of a monologue is a claim and one of a trace
# is a line, so compare the shapes of two formats' curves rather than their heights.)

# %%
display.figure(figures.chain_survival(chain_rows))

# %% [markdown]
# ## For which programs
# By the number of executed lines, and by what the program has. Groups are small and their intervals
# wide; look for a format that stays level where the others fall. If steps help at all, they should
# help where there is more to follow: with loops and many lines, not with one line.

# %%
import ast

LENGTHS = {"1 to 3 lines": 3, "4 to 7 lines": 7, "8 lines and more": 10**9}
LOOPS, BRANCHES = (ast.For, ast.While, ast.comprehension), (ast.If, ast.IfExp, ast.Match)


def kinds_of(program, trace):
    """The groups that an item belongs to."""
    visits = sum(step.event == "line" for step in trace.steps)
    nodes = list(ast.walk(ast.parse(program.source)))
    loop, branch = (any(isinstance(n, of) for n in nodes) for of in (LOOPS, BRANCHES))
    shape = ["straight", "branch", "loop", "loop and branch"][2 * loop + branch]
    return [next(name for name, most in LENGTHS.items() if visits <= most), shape]


# %%
kinds = {name: kinds_of(tasks[name]["program"], trace) for name, trace in recorded.items()}
part_rows = []
for view, format in itertools.product(views, formats):
    passed = over_seeds(view, format, 0)
    for kind in sorted(set().union(*kinds.values())):
        rates = [rate for task, rate in passed.items() if kind in kinds[task]]
        interval = scoring.mean_interval(rates, seed=p.seed)
        part_rows.append({"view": view, "format": format, "kind": kind, **asdict(interval)})
display.table(part_rows, ("view", "format", "kind", "n", "value", "low", "high"))

# %% [markdown] tags=["exercise"]
# ## Exercise 1: true form, wrong content
# Make a control of your own. Take a monologue, keep every line of it and its answer, and take its
# sense away: change the order of the lines, but only before `[/MONOLOGUE]`. The check gives you the
# monologue of `first_positions(["b", "a", "b"])`, and lets the verifier read what you return. Run
# the check once, then `print(check.monologue())` shows it: note where its lines end.


# %% tags=["solution"]
def senseless(text):
    """Return the monologue `text` with the same lines, the answer in its place, and steps that did
    not happen in this order."""
    steps, tag, answer = text.partition("\n[/MONOLOGUE]")
    return "\n".join(reversed(steps.split("\n"))) + tag + answer


# %% tags=["check"]
from semcoder_lib.run import check

check.e07_1(senseless)

# %% [markdown] tags=["instructor"]
# Five minutes. Whoever turns the whole text round moves the answer, too. Ask: a filter on answers,
# would it keep this text? (Yes.) Say: a model that learns as much from it as from the true one has
# learned how monologues look.

# %% [markdown] tags=["exercise"]
# ## Exercise 2: form or content?
# Now read such a comparison. You get two intervals of paired differences, each as `(low, high)`: of
# a format over `direct`, and of the same format over its shuffled self. What did the format teach?
# Only a gain that this run can tell from zero counts as one.


# %% tags=["solution"]
def taught(over_direct, over_shuffled):
    """Return "nothing" if no gain over `direct` can be seen, "form" if there is one but none over
    its shuffled self, and "content" if there are both."""
    if over_direct[0] <= 0:
        return "nothing"
    return "content" if over_shuffled[0] > 0 else "form"


# %% tags=["check"]
from semcoder_lib.run import check

check.e07_2(taught)

# %% [markdown] tags=["instructor"]
# Five minutes. Most take an interval that begins at zero for a gain. Apply it to the tables above:
# with few items everything is "nothing". Say: that is not "no effect". It means that this run
# cannot tell.

# %% [markdown]
# ## Things to try
# - **Is it the words?** Add the controls: `settings =
#   "ablation_formats=direct,monologue,shuffled,answer_only"`. If `shuffled` scores like
#   `monologue`, the monologue's content was not used.
# - **More executions.** Double `ablation_steps`. The intervals do not get narrower (they depend on
#   `ablation_items`); what changes is how far each chain gets before it breaks.
# - **Traces instead of words.** Set `settings = "ablation_formats=direct,scratchpad,next,concise"`.
#   Which chains get furthest? Read a few texts in `completions_concise_s0.jsonl` in the folder of
#   this notebook: at which kind of line do they leave the execution?

# %% [markdown]
# ## The card
# The numbers go into `results.json`, from which the report makes table 2 and the figures of formats
# and chains. The adapters stay in `adapters/`.

# %%
results = {
    "scores": scores,
    "differences": differences,
    "training": trainings,
    "pooled": pooled,
    "parts": part_rows,
    "chains": chain_rows,
    "missing": missing,
}
run.finish(results)
