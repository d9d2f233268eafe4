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
# executions*; so do we.
#
# You will see one execution in every form, what each form costs in tokens, one small training per
# form, the scores with their intervals, and the step at which each form's reasoning breaks.
#
# Two **controls** tell form from content: `shuffled` is a monologue whose steps are exchanged (true
# form, wrong content), `answer_only` the right answer behind as many empty words. A format that
# beats `direct` and not its control has taught the model to talk, not to reason.

# %% tags=["parameters"]
profile = "smoke"  # smoke, laptop, gpu or paper; papermill puts the run's own here
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

# %%
import random

from semcoder_lib import tracing

corpus = run.kept("01_pyx/pyx.jsonl")[0]
programs = {entry.program.id: entry.program for entry in corpus}
accepted = run.kept("02_monologues/forward.jsonl")[0]
random.Random(f"{p.seed}:ablation").shuffle(accepted)
rows_wanted = p.ablation_steps * p.ablation_rows  # of one arm
if p.ablation_views == ["examples"]:  # twice as many as needed: some are too long
    accepted = accepted[: 2 * rows_wanted * p.ablation_seeds]

# %%
pairs = [(programs[m.program_id], m.case) for m in accepted]
traces = tracing.trace_many(pairs, run.box)
executions = [
    (program, monologue, trace)
    for (program, _), monologue, trace in zip(pairs, accepted, traces, strict=True)
]
print(len(executions), "executions")

# %% [markdown]
# ## One execution in every form
# The prompt is nearly the same (the format's name, and how the answer begins); what differs is what
# stands before the answer. Look at how much of each text is *about the state of the program*, and
# at what a shuffled monologue still has: every word, and no sense.

# %%
from semcoder_lib import monologues
from semcoder_lib.report import display

program, monologue, trace = min(executions, key=lambda e: abs(len(e[1].text) - 500))
display.code(program.source)


# %%
def told(format):
    """The completion that a model is trained on in this format."""
    return monologues.ablation(program, monologue.case, trace, format, monologue=monologue)[1]


every = ("direct", "scratchpad", "next", "concise", "monologue", "shuffled", "answer_only")
display.side_by_side(*(display.code(f"--- {format}\n{told(format)}") for format in every))

# %% [markdown]
# What one execution costs. The loss is on these tokens, so equal *examples* are not equal training:
# the view `tokens` (with two seeds or more) gives every format as many tokens as the longest has.

# %%
from semcoder_lib.models import assets, tokens

tokenizer = tokens.load_tokenizer(assets.locate(p.model))
sizes = [{"format": f, "tokens": len(tokens.encode_completion(tokenizer, told(f)))} for f in every]
display.table(sizes)

# %% [markdown]
# ## The rows of each arm
# An execution that would be too long in one format is left out of all. Each seed has its own part of
# the executions, where there are enough; within a seed all formats have the very same ones.

# %%
from semcoder_lib import training
from semcoder_lib.training import ablation


def config(steps, seed):
    """How one arm is trained: like notebook 04, shorter."""
    return training.Config(
        method=p.train_method,
        steps=steps,
        learning_rate=p.learning_rate,
        min_learning_rate=p.learning_rate / 10,
        batch_tokens=p.batch_tokens,
        batch_rows=p.ablation_rows,
        max_length=p.max_length,
        lora_rank=p.lora_rank,
        seed=p.seed + seed,
    )


# %%
pools = ablation.rows_by_format(
    executions, formats, tokenizer=tokenizer, config=config(1, 0), seed=p.seed, style=p.style
)


def share(format, view, seed):
    """The rows of one arm, and its optimizer steps."""
    if view == "examples":
        return ablation.equal_examples(pools, format, rows_wanted, seed), p.ablation_steps
    rows, times = ablation.equal_tokens(pools, format, rows_wanted, seed, tokenizer)
    return rows, max(1, round(len(rows) * times / p.ablation_rows))


display.table([{"format": format, "rows": len(rows)} for format, rows in pools.items()])

# %% [markdown]
# ## Train one adapter per arm
# An arm is a view, a seed and a format. All start from the same base model and see their rows for
# the same number of steps, with the same learning rate. This is the long part of the notebook; a
# killed training goes on from its last checkpoint.
#
# A single seed can mislead: two trainings of the *same* arm differ by several points at this size.
# Profiles that can afford it train two seeds or more, and the tables below average over them.

# %%
import itertools

arms = list(itertools.product(p.ablation_views, range(p.ablation_seeds), formats))


def name_of(view, seed, format):
    """The name of an arm's files."""
    return f"{format}_s{seed}" if view == "examples" else f"{format}_{view}_s{seed}"


def train(examples, base, config, folder):
    """One arm; the adapter stays in the folder."""
    result = training.train(examples, folder, base=base, config=config)
    counts = {"tokens": result.tokens, "trained_tokens": result.trained_tokens}
    return {"examples": len(examples), "steps": result.steps, **counts, "losses": result.losses}


# %%
trained = []
for view, seed, format in arms:
    rows, steps = share(format, view, seed)
    step = f"adapters/{name_of(view, seed, format)}/"
    done = run.step(step, train, rows, base=p.model, config=config(steps, seed))
    trained.append({"format": format, "seed": seed, "view": view, **done})

# %%
columns = ("view", "format", "seed", "examples", "steps", "tokens", "trained_tokens")
display.table(trained, columns)

# %% [markdown]
# The loss of each arm. These curves cannot be compared with each other: a long trace full of words
# that are easy to predict has a low loss and may teach nothing, and the few tokens of a direct
# answer are all hard. That is why the arms are judged by what they answer, not by their loss.

# %%
from semcoder_lib.report import figures

curves = {
    f"{t['format']} ({t['seed']}){'' if t['view'] == 'examples' else ', equal tokens'}": t["losses"]
    for t in trained
}
display.figure(figures.loss_curve(curves))

# %% [markdown]
# ## The items
# Held-out programs, real and synthesised in equal numbers, and CRUXEval's output prediction where
# its file is at hand. Every arm answers the same items, so that differences can be paired.

# %%
from semcoder_lib import evaluation
from semcoder_lib.evaluation import answers

held_out = [
    entry
    for entry in corpus
    if entry.program.split == "held_out" and len(entry.program.source) <= p.program_chars
]
chosen = answers.balanced(held_out, p.ablation_items, p.seed)
items, missing = {"pyx-o": evaluation.get("pyx-o").from_entries(chosen)}, {}
try:
    cruxeval = evaluation.get("cruxeval-o").load()
    items["cruxeval-o"] = answers.sample_tasks(cruxeval, p.ablation_items, p.seed)
except evaluation.Missing as why:
    missing["cruxeval-o"] = str(why)
display.table([{"benchmark": name, "items": len(tasks)} for name, tasks in items.items()])

# %% [markdown]
# ## Ask every arm
# Each adapter is asked in the form that it was trained in; the controls as the monologue is. Only
# the answer counts here, read and judged as in notebook 06; the steps before it are looked at
# further below. A format with long texts may run out of tokens before it answers: that is a cost of
# the format, and counts as wrong.


# %%
def plans_of(format):
    """What an arm of this format is asked, benchmark by benchmark."""
    reasoning = "monologue" if format in monologues.CONTROLS else format
    length = p.baseline_tokens if format == "direct" else p.reasoning_tokens
    setting = answers.Setting(format, reasoning, 0, length)
    return [answers.Plan(name, tuple(tasks), setting) for name, tasks in items.items()]


def ask(view, seed, format):
    """The scores of one arm, from the kept completions and verdicts."""
    label, scored = name_of(view, seed, format), []
    model = answers.Model(label, p.model, run.path(f"adapters/{label}"), p.backend)
    cache = run.path(f"cache_generations_{label}.jsonl")
    plans = plans_of(format)
    rows = run.step(
        f"completions_{label}.jsonl", answers.complete, model, plans, style=p.style, cache=cache
    )
    for plan in plans:
        file = f"verdicts_{plan.benchmark}_{label}_{format}.jsonl"
        judged = run.step(file, answers.verdicts, plan, rows, scorer=p.scorer, box=run.box)
        scored.append(answers.evaluated(plan, label, rows, judged, scorer=p.scorer, seed=p.seed))
    return scored


# %%
evaluated = {arm: ask(*arm) for arm in arms}
scores = [
    {**one.row, "view": view, "seed": seed, "format": format}
    for (view, seed, format), some in evaluated.items()
    for one in some
]

# %% [markdown]
# ## Scores over the seeds
# For every task the mean over the seeds, then the mean over tasks with its 95 % interval. So each
# task counts once: three seeds on 100 tasks are not 300 tasks, and an interval that took them for
# 300 would be too narrow. The paired difference is against the first format.

# %%
from semcoder_lib.evaluation import parts


def over_seeds(view, format, place):
    """Task id to the mean over the seeds, of the benchmark at this place."""
    runs = [evaluated[view, seed, format][place].passed for seed in range(p.ablation_seeds)]
    return parts.over_seeds(runs)


pooled = []
for view, format in itertools.product(p.ablation_views, formats):
    for place, benchmark in enumerate(items):
        passed = over_seeds(view, format, place)
        common = {"view": view, "format": format, "benchmark": benchmark}
        row = {**common, "seeds": p.ablation_seeds, **parts.pooled_row(passed, p.seed)}
        if format != formats[0]:
            before = over_seeds(view, formats[0], place)
            row["difference"] = parts.paired_row(before, passed, p.seed)
        pooled.append(row)

# %%
columns = ("benchmark", "view", "format", "seeds", "value", "low", "high", "n")
display.table(pooled, columns)

# %%
from semcoder_lib.report import paper

display.figure(figures.format_bars(pooled, scores, paper.TITLES))

# %% [markdown]
# ## Paired differences
# The number to believe: each format against the first one on the same tasks. An interval that holds
# zero says that this run cannot tell the two apart. It does not say that they are equal.

# %%
paired = [
    {"benchmark": row["benchmark"], "view": row["view"], "format": row["format"], **difference}
    for row in pooled
    if (difference := row.get("difference"))
]
display.table(paired)

# %%
differences = []
for (view, seed, format), some in evaluated.items():
    if format != formats[0]:
        for before, after in zip(evaluated[view, seed, formats[0]], some, strict=True):
            row = answers.difference_row(before, after, p.seed)
            differences.append({**row, "view": view, "seed": seed, "format": format})
columns = ("benchmark", "view", "format", "seed", "value", "low", "high", "n", "p_mcnemar")
display.table(differences, columns)

# %% [markdown]
# ## Where chains break
# A score says how often the answer is right. It does not say whether the steps before it are. Here
# every step that a model wrote is compared with the recorded execution: claims of a monologue by the
# verifier, lines of a trace one by one. A chain is `whole` when every step is right.
#
# Look at `right` beside `right_by_right_steps`. Right answers that do not rest on a whole chain were
# guessed, or are right in spite of a wrong step. If most are of that kind, the format's steps are
# decoration, whatever its score is.

# %%
tasks = {task.task_id: task.data for task in items["pyx-o"]}
executed = [(data["program"], data["case"]) for data in tasks.values()]
recorded = dict(zip(tasks, tracing.trace_many(executed, run.box), strict=True))


# %%
from semcoder_lib.evaluation import chains

chain_rows = []
for view, format in itertools.product(p.ablation_views, formats):
    checked = []
    for seed in range(p.ablation_seeds):
        answered = evaluated[view, seed, format][0]
        checked += chains.chains_of(answered, format, tasks, recorded, run.box)
    if checked:
        whole = chains.summary(*map(list, zip(*checked, strict=True)))
        chain_rows.append({"view": view, "format": format, **whole})
columns = ("view", "format", "n", "whole", "right", "right_by_right_steps", "right_steps", "steps")
display.table(chain_rows, columns)

# %% [markdown]
# The figure shows, for every number of steps, which share of the chains is still right that far. A
# curve that falls by the same factor at every step says: each step goes wrong with the same
# probability, and long executions are lost for that reason alone. A curve that falls at once says
# that the model did not understand the call.

# %%
display.figure(figures.chain_survival(chain_rows))

# %% [markdown]
# ## For which programs
# By the number of executed lines, and by what the program has. Groups are small and their intervals
# wide; look for a format that stays level where the others fall.

# %%
kinds = {name: parts.kinds_of(tasks[name]["program"], trace) for name, trace in recorded.items()}
part_rows = [
    {"view": view, "format": format, **row}
    for view, format in itertools.product(p.ablation_views, formats)
    for row in parts.by_kind(over_seeds(view, format, 0), kinds, p.seed)
]
display.table(part_rows, ("view", "format", "kind", "n", "value", "low", "high"))

# %% [markdown]
# ## Things to try
# - **Is it the words?** Add the controls: `settings =
#   "ablation_formats=direct,monologue,shuffled,answer_only"`. If `shuffled` scores like `monologue`,
#   the monologue's content was not used.
# - **More executions.** Double `ablation_steps`. The intervals do not get narrower (they depend on
#   `ablation_items`); what changes is how far each chain gets before it breaks.
# - **A form of your own.** Add a trace format in `semcoder_lib/tracing/formats` (its docstring says
#   how) and name it in `ablation_formats`. Where does its chain break, and at which kind of line?

# %% [markdown]
# ## The card

# %%
results = {
    "scores": scores,
    "differences": differences,
    "training": trained,
    "pooled": pooled,
    "parts": part_rows,
    "chains": chain_rows,
    "missing": missing,
}
run.finish(results)
