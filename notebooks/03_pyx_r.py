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
# # 03 · PyX-R: a fault, why it fails, and a fix that holds
#
# To debug is to simulate a wrong program, to see where it leaves the right path, and to lead it
# back. The paper teaches this with **PyX-R** (sections 3.3 and 3.4): wrong programs, each with a
# failing test, a *rationale* that tells the run and names the cause, and the fixed program.
#
# The paper asks a large model for the rationales and keeps those whose fix passes the tests. A fix
# can pass while the reason given for it is wrong. Here both runs are recorded, the rationale is
# derived from the place where they part, and **every claim in it is checked**.
#
# You will see one right program being broken, its smallest failing call, the two runs side by side
# up to the step where they part, and the rationale in colour. Then the same for the whole corpus,
# and then the base model's own mistakes, which nobody planted.

# %% tags=["parameters"]
profile = "smoke"  # a name in profiles/; papermill puts the run's own here
run_name = ""  # the folder under runs/; the profile's name when empty
settings = ""  # "key=value key=value": overrides of the profile

# %%
from semcoder_lib import begin

run = begin("03_pyx_r", profile, run_name, settings)
p = run.profile

# %% [markdown]
# ## A right program
# Faults are made of programs of PyX that are *known to be right*: each passes all of its cases. As
# before, only the split `train` may be used. For the walk by hand we take a small one with a loop.

# %%
from semcoder_lib.report import display

corpus = run.kept("01_pyx/pyx.jsonl")[0]
training = [entry for entry in corpus if entry.program.split == "train"]
run.need(training, "programs to break")
looping = [entry for entry in training if "for " in entry.program.source] or training
entry = min(looping, key=lambda e: abs(len(e.program.source) - 200))
print(len(training), "programs for training; this one has", len(entry.cases), "cases")
display.code(entry.program.source)

# %% [markdown]
# ## Break it
# An **operator** makes one small edit of a kind that people make, too: a boundary one off, a
# forgotten branch, two variables exchanged. They are rows of a table,
# `semcoder_lib/faults/operators.txt`: a name, what it breaks, an example. A program with such an
# edit is a **mutant**. What an edit is called here is what the rationale will call the cause.

# %%
from semcoder_lib import faults as pyx_r

mutants = list(pyx_r.mutate(entry, seed=p.seed))
print(len(pyx_r.OPERATORS), "operators find", len(mutants), "places in it; the first twelve:")
display.table(
    [
        {
            "operator": bug.operator,
            "line": pyx_r.altered(bug.buggy, bug.fixed)[0],
            "what is wrong": bug.cause,
        }
        for bug in mutants[:12]
    ]
)

# %% [markdown]
# ## Not every edit is a bug
# Whether an edit breaks anything only a run can say. Each mutant runs on all cases of the program.
# One that passes them all is **equivalent** as far as we can see, and is dropped. So is one that
# only runs out of time or memory: there is nothing to explain step by step.

# %%
failures, dropped = pyx_r.failing(mutants, run.box)
display.counts({"fail a case": len(failures), **dropped}, "mutants", "count")

# %% [markdown]
# ## The smallest failing call
# A short run can be told, a long one cannot. So the failing call is made smaller for as long as the
# buggy program still fails *in the same way*: elements are left out, numbers become smaller. What
# the call should give is asked of the right program, and of nobody else. Compare the two columns.

# %%
from semcoder_lib.core.values import show_call

name, smallest = entry.program.entry_point, pyx_r.shrunk(failures, run.box)
display.table(
    [
        {
            "operator": before.bug.operator,
            "fails on": show_call(name, before.case.arguments),
            "and still on": show_call(name, after.case.arguments),
        }
        for before, after in list(zip(failures, smallest, strict=True))[:8]
    ]
)

# %% [markdown]
# ## Record both runs
# The buggy and the right program are traced on these calls. From here on we follow one fault: its
# buggy run gives a value, a wrong one, and has about a dozen steps. Red is the line that the
# operator made, green the line that was there.

# %%
recorded = run.need(pyx_r.gather(smallest, run.box)[0], "mutants that fail")
followed = min(recorded, key=lambda e: (e.trace.result is None, abs(len(e.trace.steps) - 12)))
bug, wrong, right = followed.bug, followed.trace, followed.fixed_trace
print(bug.operator, "·", show_call(name, followed.case.arguments), "should give",
      right.result, "but gives", wrong.result or wrong.exception)  # fmt: skip
display.diff(bug.buggy, bug.fixed)

# %% [markdown]
# ## Where the runs part
# The two recordings are laid side by side, step by step, with the lines of one program mapped to
# those of the other. The first step at which they differ is the **divergence**: another value,
# another line, a change that is missing or too many. It is marked with an arrow. Note how far it
# may lie before the wrong result, and that the altered line may have run several times before.
# (`path` means that another line comes next, `value` that a variable gets another value.)

# %%
parting = followed.divergence
print("They part by:", parting.kind, parting.name)
display.side_by_side(
    display.steps(wrong, 10, at=parting.index), display.steps(right, 10, at=parting.fixed_index)
)

# %% [markdown]
# ## Explain it
# The **rationale** is written from these three things alone: the wrong run, the place where it
# parts, the edit. It has the paper's sections: the execution simulated, the root cause, the fix.
# After it stands the whole repaired program. The simulation is the forward monologue of the *wrong*
# program, by the same writer; new is the middle: where the runs part, what the cause is, how it
# leads to the wrong result.

# %%
rationale = pyx_r.write(followed)
print(rationale)

# %% [markdown]
# ## Check the explanation
# A reader that did not write it decides each claim: the steps of the simulation by the recorded
# run, the parting of the runs by both recordings, the cause by making the edit. Green is supported,
# red contradicted, grey could not be decided. Hover over a claim to see the evidence.

# %%
report = pyx_r.check(rationale, followed)
print(f"supported {report.supported} · contradicted {report.contradicted} · "
      f"unverifiable {report.unverifiable} · accepted: {report.accepted}")  # fmt: skip
display.marked(rationale, report.claims)

# %% [markdown]
# Now blame another line. The fix is still right and still passes every test, so a filter on fixes
# would keep this text; as a lesson it would be wrong.

# %%
import re

blamed = re.sub(
    r"(The cause is (?:before )?\[L)(\d+)", lambda m: f"{m[1]}{int(m[2]) + 1}", rationale
)
lie_report = pyx_r.check(blamed, followed)
print("accepted:", lie_report.accepted)
display.marked(blamed, lie_report.claims)

# %% [markdown]
# ## Mend it
# The fix is taken out of the text, as it would be taken out of a model's answer, and runs on every
# case of the program. Only a fault whose fix passes all of them goes into PyX-R. Note that the
# buggy program, too, may pass most of the cases: a bug is seen only by the input that reaches it.

# %%
from semcoder_lib.faults import evidence

mended = pyx_r.refined_code(rationale)
jobs = [evidence.job(source, name, entry.cases) for source in (bug.buggy, mended)]
display.table(
    [
        {
            "call": show_call(name, case.arguments),
            "should give": repr(case.output),
            "buggy": before.text or before.status.value,
            "mended": after.text or after.status.value,
        }
        for case, before, after in zip(entry.cases, *run.box.map(jobs), strict=True)
    ]
)

# %% [markdown]
# ## All by mutation
# The same for the whole corpus, until there are as many faults as the setting `faults` asks for. In
# each pass a program gives at most two, of its *rarest* operators: some operators find a place
# nearly everywhere, and left alone half of PyX-R would be off-by-ones. A fault whose row would be
# longer than a training row may be is dropped, with its reason.
#
# In the table `equivalent` passed all cases, `cut` ran too long to be recorded, `long_row` is
# longer than a row may be, and `enough` were left over when a program had given its two. (The
# numbers need not add up: what the last batch gives beyond the limit is not counted.)

# %%
LONGEST = int(2.5 * p.max_length)  # characters of a row, prompt and rationale

if p.pyx_r_source == "build":
    mutated, funnel = run.step(
        "mutation.jsonl",
        pyx_r.build,
        training,
        limit=p.faults,
        seed=p.seed,
        max_characters=LONGEST,
        box=run.box,
    )

# %% [markdown]
# There is another way in, as in notebook 01: with `pyx_r_source=FILE` the faults come from a file
# in the hub's format, such as the authors' own PyX-R. Each is run: the fix must pass the test, and
# the buggy program fail it.

# %%
from pathlib import Path

from semcoder_lib.core import workspace


def execute(file, **options):
    """The faults of a file in the hub's format that hold, and the funnel."""
    return pyx_r.read_hub(workspace.read_jsonl(file, foreign=True), **options)


if p.pyx_r_source != "build":
    mutated, funnel = run.step("mutation.jsonl", execute, Path(p.pyx_r_source), box=run.box)
display.counts(funnel, "mutation", "mutants")

# %% [markdown]
# Which operators they are of. A long tail is what we want: a model that has seen one kind of bug
# finds one kind of bug.

# %%
from collections import Counter

operators = Counter(fault.operator for fault in mutated)
display.counts(dict(operators.most_common()), "operator", "faults")

# %% [markdown]
# ## With a teacher
# The paper's own way: with the setting `teacher` a large model is shown the first faults, and its
# rationale and fix take the place of the derived ones where the fix passes all cases and no claim
# is contradicted. Without that setting this cell does nothing.

# %%
from semcoder_lib.run import teaching

teacher_counts = {}
if p.teacher:
    mutated, teacher_counts = teaching.faults_of_teacher(run, mutated, training)
display.counts(teacher_counts, "teacher", "count")

# %% [markdown]
# ## The model's own mistakes
# A planted fault may be unlike the mistakes that a model makes. So the base model answers some of
# the corpus' descriptions, and its wrong answers become faults, too. This is the prompt. The first
# line of the answer is given: left alone, a small model often takes the signature for the whole
# answer.

# %%
import random

from semcoder_lib.models import prompts

described = [
    e for e in training if e.program.description and len(e.program.source) <= p.program_chars
]
random.Random(f"{p.seed}:fault tasks").shuffle(described)
tasks = described[: (p.faults + 30) // 50]


def opening(program):
    """The signature, and the indentation of the first line, less the blank that belongs to the next
    token: with it the model closes the block at once."""
    line = pyx_r.signature(program)
    return "" if "(...)" in line else f"{line}\n   "  # dots: it is no plain function


if tasks:
    prompt = prompts.nl_to_code(pyx_r.task_description(tasks[0].program))
    print(prompt.text + opening(tasks[0].program))

# %% [markdown]
# Each description is asked twice. The **temperature** says how much chance there is in the choice
# of each token: 0 always takes the likeliest (*greedy*), and the higher it is the more varied are
# the answers. The completions are kept as they come, right or wrong.

# %%
from dataclasses import replace

from semcoder_lib.evaluation import answers
from semcoder_lib.models import Request
from semcoder_lib.run.models import base_of

TEMPERATURES = (0.4, 0.8)
openings = {e.program.id: opening(e.program) for e in tasks}


def request(program, temperature):
    """The task as above, to be answered at a temperature."""
    prompt = prompts.nl_to_code(pyx_r.task_description(program))
    return Request(
        program.id, prompt.text + openings[program.id], prompt.stop,
        max_new_tokens=p.codegen_tokens, temperature=temperature, top_p=0.95, seed=p.seed,
    )  # fmt: skip


requests = [request(e.program, temperature) for temperature in TEMPERATURES for e in tasks]
written = run.step(
    "completions.jsonl", answers.ask, base_of(p), requests, cache=run.path("cache_model.jsonl")
)
completions = [replace(c, text=openings[c.task_id] + c.text) for c in written]
display.code(completions[0].text if completions else "no tasks: set faults to 20 or more")

# %% [markdown]
# ## Which of them are faults
# A completion is of use when it is a program, runs to an end on every case, and fails at least one.
# Its fix is the nearest that can be *shown* to be right: first every single edit by an operator is
# tried on the model's own program; only when none passes, the reference program is the fix. Then
# all goes on as above: smallest call, two runs, rationale, check. Nobody planted these, so most of
# what a small model writes falls through this funnel: `no_program` holds no function that parses,
# `repaired` counts those that one edit mends.

# %%
own, own_funnel = run.step("model.jsonl", pyx_r.from_completions, tasks, completions, box=run.box)
display.counts(own_funnel, "the model's own", "completions")

# %% [markdown]
# The first of them, if there is one, and its fix. Where the fix is the reference program, the two
# may have little in common, and no single line is named as the cause.

# %%
if own:
    print(own[0].rationale)
display.diff(own[0].buggy, own[0].fixed) if own else None

# %% [markdown]
# ## What is learned from it
# A fault becomes one training row. The prompt shows problem, buggy program and failed test, and
# nothing else; the completion is the rationale with the fix. At a test the same prompt is given,
# and the model has to simulate, find the cause and mend on its own (notebook 08).

# %%
if mutated:
    prompt, completion = pyx_r.example(mutated[0], style=p.style)
    row = display.side_by_side(display.code(prompt), display.code(completion))
row if mutated else None

# %% [markdown] tags=["exercise"]
# ## Exercise 1: an operator of your own
# An operator is a rule, not one bug: it fits many programs. Write one as a function on a program's
# text. It is tried on these two, with calls that you do not see, and must break one line of each:
#
# ```python
# def rank(scores, own):
#     return 1 + len([s for s in scores if s < own])
# def below(row, limit):
#     return [n for n in row if n < limit]
# ```


# %% tags=["solution"]
def rewrite(source):
    """Return the program's text with one small edit that people make, too, and that gives wrong
    values; the program still has to run."""
    return source.replace(" < ", " <= ", 1)


# %% tags=["check"]
from semcoder_lib.run import check

check.e03_1(rewrite)

# %% [markdown] tags=["instructor"]
# Five minutes. Who returns a program that only raises has no run to explain. Say: a fault is worth
# something when its run goes on for a while and then arrives at a wrong value.

# %% [markdown] tags=["exercise"]
# ## Exercise 2: where the same edit is no bug
# The operator `wrong_boundary` makes `<` into `<=`. Write a function of a list of whole numbers (it
# is never empty) that compares with `<`, and in which this edit changes no result on any list.


# %% tags=["solution"]
def unharmed(numbers):
    """Return something about the numbers, found with `<`, for which the boundary is of no matter
    but the direction of the comparison is."""
    best = numbers[0]
    for number in numbers:
        if best < number:
            best = number
    return best


# %% tags=["check"]
from semcoder_lib.run import check

check.e03_2(unharmed)

# %% [markdown] tags=["instructor"]
# Five minutes. Whoever filters or counts with `n < 3` finds that the boundary decides. Hint: what if
# the two compared values are equal, and it is then all the same which one is taken? Say: that is
# why each mutant runs before it may be called a bug.

# %% [markdown]
# ## Things to try
# - **An operator of your own.** In "Break it", call `pyx_r.mutate(entry,
#   operators=("off_by_one",))`. Then add an operator to `semcoder_lib/faults/operators.txt` (its
#   first lines say how), for instance one that makes `P` of `abs(P)`, restart the kernel and run
#   all cells: a line says that the code changed. Is your operator in the table of "All by
#   mutation"?
# - **A blunter lie.** In "Check the explanation", change a value in the simulation instead of the
#   line that is blamed. Which claim turns red, and what does its evidence say the value was?
# - **Longer calls.** In "Record both runs", replace `smallest` by `failures`, so that nothing is
#   made smaller, take `max(recorded, key=lambda e: len(e.trace.steps))`, and write the rationale.
#   How many steps does it tell now? Is it still shorter than `LONGEST`?

# %% [markdown]
# ## The card
# Both kinds of faults are kept apart in the files of this folder, so that an ablation can leave one
# of them out; `hub.jsonl` has them in the columns of the authors' PyX-R. The numbers go into
# `results.json`, from which the report is made.

# %%
workspace.write_jsonl(run.path("hub.jsonl"), map(pyx_r.to_hub, mutated + own))
results = {
    "mutation": {"accepted": len(mutated), "funnel": funnel, "operators": dict(operators)},
    "model": {"accepted": len(own), "funnel": own_funnel},
    **({"teacher": teacher_counts} if teacher_counts else {}),
}
run.finish(results)
