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
# # 01 · PyX: a corpus of programs that run
#
# To teach what programs do, one needs programs that can be *run*: complete in themselves, with
# inputs, and with outputs that are the same every time. The paper calls its corpus **PyX**
# (sections 3.1 and 3.2). The authors released its rows, but not the code that made them. Here it is
# made anew:
#
# ```text
# function of an installed package ┐
#                                  ├→ types → inputs → cases → run again → benchmarks → PyX
# program of the synthesiser       ┘  guess   grow    choose   other hash   keep out
# ```
#
# You will see one function go through all of these steps, two programs that are thrown out, and
# why; then programs that nobody wrote; then the whole corpus, with every loss counted.

# %% tags=["parameters"]
profile = "smoke"  # a name in profiles/; papermill puts the run's own here
run_name = ""  # the folder under runs/; the profile's name when empty
settings = ""  # "key=value key=value": overrides of the profile

# %%
from semcoder_lib import begin

run = begin("01_pyx", profile, run_name, settings)
p = run.profile

# %% [markdown]
# ## Functions that are already there
# The packages of this environment are full of small functions that people wrote and tested. Those
# are taken that need nothing but themselves; helpers and constants of the same file are copied in.
# Nothing is imported, and nothing is run yet: the files are read as text. Each function carries
# package, version, licence, file and line, so that whoever publishes the corpus can name the
# authors. The seed decides their order. Here are the first sixteen:

# %%
import itertools

from semcoder_lib import corpus as pyx
from semcoder_lib.corpus import seeds
from semcoder_lib.report import display

prospects = list(itertools.islice(seeds.packages(seed=p.seed), 16))
package = {"from_the_package": "program.provenance.package"}
package |= {"licence": "program.provenance.licence"}
display.fields(prospects, function="program.entry_point", **package)

# %% [markdown]
# A **prospect** is a program on its way into the corpus. One object goes through all the steps and
# collects what they find out about it. This is the one that we follow. What would you call it with?

# %%
FOLLOWED = "longest_common_subsequence"
followed = next((q for q in prospects if q.program.entry_point == FOLLOWED), prospects[0])
origin = followed.program.provenance
print(f"{origin.package} {origin.version} ({origin.licence}), {origin.file}:{origin.line}")
display.code(followed.program.source)

# %% [markdown]
# ## Guess the types
# To call a function one has to know what it takes, and Python does not say. The text gives hints:
# examples in the docstring, annotations, default values, what the code does with a parameter. The
# likeliest type comes first. "trial" would mean that only the code speaks, and has to be tried.

# %%
print("parameters:", ", ".join(followed.signature.names))
display.fields(followed.signature.hints, likely_types="types", read_in="source")

# %% [markdown]
# Every likely combination is tried in the sandbox on five inputs, and the one on which the function
# runs best is taken: most lines reached, most calls that return, most different results. A function
# that runs on none of them is out. One that gives its values one at a time (a generator) gets a
# second function around it that makes a list of them: look for a name that ends in `_list`. Then
# look at the last column: this is the first loss, and a large one, since many functions want
# objects of their own package. What is `left` goes on to the next step.

# %%
left = pyx.guess_types(prospects, run.box, seed=p.seed)
fate = {"takes": "program.argument_types", "out_because": "reason"}
display.fields(prospects, function="program.entry_point", **fate)

# %% [markdown]
# ## Grow inputs
# Inputs are made in two ways. One is *fresh*: random values of the right types, the constants of
# the program among them. The other is *mutation*, the paper's way (section 3.2): take an input that
# reached something new and change it a little. Both by hand:

# %%
import random

rng = random.Random(p.seed)
types, constants = followed.program.argument_types or ("str",), followed.constants
for _ in range(3):
    fresh = pyx.generate(types, rng, constants=constants)
    print("fresh", fresh, "→ mutated", pyx.mutate(fresh, types, rng, constants=constants))

# %% [markdown]
# Now for all that are left. Each input runs, and the lines and branches that it reaches are noted.
# As long as a branch is missing, or too few inputs run, mutations of the best inputs follow, for
# three rounds at most. An example from the docstring is used, too: find it in the table. (Ten
# inputs of the first round are the same for all programs of these types, so that their outputs can
# be compared later.)

# %%
left = pyx.grow_inputs(left, run.box, cases=6, seed=p.seed)
tried, ran = len(followed.inputs), len(followed.good())
print(tried, "inputs,", ran, "ran, in", followed.rounds, "rounds of mutation")
display.fields(followed.inputs[4:14], arguments="text", output="ran.text", made_by="source")

# %% [markdown]
# ## Choose the cases
# Six inputs are enough if they are the right six: first those that reach new branches, then those
# with new outputs, short ones before long ones. With their outputs they are the program's
# **cases**. A program is out when too few inputs run, or when its cases would teach nothing: always
# the same output, an argument handed back, or more than a quarter of its lines never reached. A
# model could answer for such a program without following it.

# %%
left = pyx.choose_cases(left, cases=6)
lines, branches = followed.coverage(followed.chosen)
print(f"{lines:.0%} of the lines and {branches:.0%} of the branches are reached")
display.fields(followed.chosen, arguments="text", output="ran.text", made_by="source")

# %% [markdown]
# ## Run it again
# The same inputs in reverse order, in a fresh process whose strings have **another hash seed**.
# What is random, keeps state, or depends on the order of a set gives something else now, and is
# out. `some_letter` looks harmless. Would you have seen what is wrong with it? (`develop` takes it
# through all the steps from "Guess the types" to here at once; ours take this one step.)

# %%
from semcoder_lib.core import records
from semcoder_lib.sandbox import own

HASTY = """\
def some_letter(text):
    for letter in set(text):
        if letter != ' ':
            return letter
    return ''
"""
again = own(run.box.level, hash_seed=1)
hasty = pyx.Prospect(records.Program(HASTY, "some_letter", argument_types=("str",)))
pyx.develop([hasty], run.box, again, cases=6, seed=p.seed)
left = pyx.run_again(left, again)
print("some_letter:", hasty.reason)
print(followed.program.entry_point + ":", followed.reason or "the same as before")

# %% [markdown]
# ## Keep the benchmarks out
# A model that has seen the tasks of a benchmark is not measured by it. The **guard** compares each
# program with HumanEval, MBPP and CRUXEval, as far as they are on this machine: by text, as the
# paper does, and by what it computes. The second finds a task that was written anew, like this one:
# no word of it is the benchmark's, but it gives the same on all inputs that are known. (The last
# row of the table counts the tasks whose outputs say too little for that.)

# %%
DISGUISED = """\
def mirrored(word):
    for place in range(len(word) // 2):
        if word[place] != word[-1 - place]:
            return False
    return True
"""
guard = pyx.Guard.here(run.box)
disguised = pyx.Prospect(records.Program(DISGUISED, "mirrored", argument_types=("str",)))
pyx.develop([disguised], run.box, again, guard=guard, cases=6, seed=p.seed)
left = pyx.keep_out_benchmarks(left, guard, run.box, cases=6)
print("mirrored:", disguised.reason or "in no benchmark at hand", disguised.detail)
print(followed.program.entry_point + ":", followed.reason or "in no benchmark at hand")
display.counts(guard.report, "benchmark", "found")

# %% [markdown]
# ## No duplicates, and a split by families
# What repeats a program of the corpus is out: the same code, nearly the same code, or the same
# outputs on inputs that all programs of its types share. The last step sets a share of
# `pyx_held_out` of all *families* aside for the evaluation. A family holds near variants (here: the
# functions of one file), so that none is trained on while its twin is asked about. A program's side
# depends on its family and the seed alone: in a larger corpus it stands on the same side.

# %%
seen = pyx.Seen()
left = pyx.split_families(pyx.drop_duplicates(left, seen), seed=p.seed, held_out=p.pyx_held_out)
print("the same program once more:", seen.repeats(followed.program.source))
display.fields(left, kept="program.entry_point", family="program.family", split="program.split")

# %% [markdown]
# ## The kept program
# This is a row of PyX, an **entry**: what the program is for, the program, and its cases. The
# monologues of notebook 02 and the questions of notebook 06 are made from such entries.

# %%
from semcoder_lib.core import values

entry = (followed if followed in left else left[0]).entry()
name = entry.program.entry_point
calls = [(values.show_call(name, c.arguments), values.encode(c.output)) for c in entry.cases]
asserts = "\n".join(f"assert {call} == {output}" for call, output in calls)
display.code(f"# {entry.program.description}\n{entry.program.source}\n{asserts}")

# %% [markdown]
# ## Programs that nobody wrote
# Functions of packages are few, and many are odd. The **synthesiser** draws everyday programs from
# a grammar of typed templates, line by line. Each line reads what an earlier one left, so nothing
# is computed in vain. From there on a draft is treated like any other program: its types are known,
# its inputs have to be grown. About one in five falls.

# %%
drafts = [pyx.Prospect(program) for program in seeds.synthesise(12, seed=p.seed)]
pyx.choose_cases(pyx.grow_inputs(drafts, run.box, cases=6, seed=p.seed), cases=6)
display.fields(drafts, draft="program.entry_point", **fate)

# %% [markdown]
# One of them. Every template has its English beside its code, so the description comes out
# together with the program and says the same. Compare the two, sentence by sentence: from such
# pairs a model learns to write code from words. Then look at others: put another number.

# %%
draft = drafts[9].program
sentences = draft.description.replace(". ", ".\n")
display.side_by_side(display.code(draft.source), display.code(sentences))

# %% [markdown]
# ## With a teacher
# The paper's own way is here as well. With the setting `teacher`, a large model is shown snippets
# of real code and writes a problem and a solution after each. What fails goes back with its error.
# What runs is one more kind of candidate, and goes through the same steps as all others. Without
# that setting this cell does nothing.

# %%
from semcoder_lib.run import teaching

taught, teacher_counts = [], {}
if p.teacher and p.pyx_source == "build":
    taught, teacher_counts = teaching.programs_of_teacher(run)
display.counts(teacher_counts, "teacher", "count")

# %% [markdown]
# ## All of it
# The same steps for batch after batch, until `pyx_real` functions, `pyx_synthesised` programs and
# `pyx_methods` programs around a method of `str`, `list` or `dict` ("method-seeded") are kept.
#
# This takes the time. It is a **step**: `run.step(file, function, arguments)` calls the function
# and keeps what it returns in the file. The next time it is read back, as long as nothing that it
# depends on has changed: arguments, settings, code. A build that was stopped goes on at the batch
# where it was. The number of processes changes nothing. The benchmarks that the guard knows do: its
# `key` is given to the step, so that with another benchmark file the corpus is built anew.

# %%
import os


def build(guard_key, folder, **options):
    """Write the corpus, and what was left out, into the folder; return the funnel: the counts."""
    return pyx.build(folder, **options)


if p.pyx_source == "build":
    funnel = run.step(
        "built/", build, guard.key, taught=taught, cases=6, seed=p.seed, real=p.pyx_real,
        synthesised=p.pyx_synthesised, method_seeded=p.pyx_methods, held_out=p.pyx_held_out, box=run.box,
        workers=run.workers, backend="ray" if os.environ.get("RAY_ADDRESS") else "process",
    )  # fmt: skip

# %% [markdown]
# There is another way in: with `pyx_source=FILE` the corpus comes from a file in the hub's format,
# such as the authors' own PyX. Nothing in it is believed: every program is executed, and cases that
# do not give the recorded output are left out.

# %%
from pathlib import Path

from semcoder_lib.core import workspace


def execute(file, folder, **options):
    """The same for the rows of a file in the hub's format."""
    executed = pyx.from_hub(workspace.read_jsonl(file, foreign=True), **options)
    workspace.write_jsonl(folder / "pyx.jsonl", map(records.to_row, executed.entries))
    workspace.write_jsonl(folder / "dropped.jsonl", executed.dropped)
    return dict(executed.funnel)


if p.pyx_source != "build":
    options = {"seed": p.seed, "held_out": p.pyx_held_out, "box": run.box}
    funnel = run.step("built/", execute, Path(p.pyx_source), **options)

# %% [markdown]
# Two files are kept for the notebooks that follow: the corpus with its funnel, and what was left
# out, each with its reason.


# %%
def load(folder, funnel):
    """The corpus that was built, and its funnel."""
    return pyx.load(folder), funnel


corpus, funnel = run.step("pyx.jsonl", load, run.path("built"), funnel)
dropped = run.step("dropped.jsonl", workspace.read_jsonl, run.path("built") / "dropped.jsonl")
print(len(corpus), "programs are kept,", len(dropped), "left out")

# %% [markdown]
# ## The funnel
# Where candidates are lost, and why. What a filter throws away shapes what a model learns, so read
# it. "second run differs" are programs like `some_letter`, "benchmark behaviour" those like
# `mirrored`; "scan" counts what was read in the packages before anything ran. Which is the largest
# loss, and would you want some of it back?

# %%
display.counts(funnel, "stage: reason", "programs")

# %% [markdown]
# ## Twenty random rows
# Read these, too. A corpus that nobody has read is a corpus that nobody knows.

# %%
from semcoder_lib.evaluation.answers import sample_tasks

words = {"takes": "program.argument_types", "what_it_does": "program.description"}
display.fields(sample_tasks(corpus, 20, p.seed), function="program.entry_point", **package, **words)

# %% [markdown]
# ## In numbers
# Sizes, and how much of the programs the cases reach, as means over programs. `families` is the
# number that counts for the split: near variants are one.

# %%
from collections import Counter
from statistics import fmean, median

programs = [entry.program for entry in corpus]
description = {
    "programs": len(programs),
    "cases": sum(len(entry.cases) for entry in corpus),
    "families": len({program.family for program in programs}),
    "lines, median": median([program.source.count("\n") for program in programs] or [0]),
    "lines covered": round(fmean([entry.line_coverage for entry in corpus] or [0]), 4),
    "branches covered": round(fmean([entry.branch_coverage for entry in corpus] or [0]), 4),
    "origin": Counter(program.origin for program in programs),
    "split": Counter(program.split for program in programs),
    "licence": dict(Counter(q.provenance.licence for q in programs).most_common()),
}
display.counts(description, "corpus", "count")

# %% [markdown]
# ## What kinds of programs
# Figure 6 of the paper: the share of each category, by a rule that is written down (words of the
# name and the description, and imports). Functions of packages and synthesised programs cover
# different ground; a corpus of one kind alone would be narrower.

# %%
from semcoder_lib.evaluation.analysis import similarity
from semcoder_lib.report import figures

parts = pyx.by_origin(corpus)
shares = {
    name: {k: n / len(part) for k, n in Counter(pyx.category(e.program) for e in part).items()}
    for name, part in parts.items()
}
display.figure(figures.categories(shares)) if shares else None

# %% [markdown]
# ## How near to the benchmarks
# Figure 5 of the paper: for a sample of each part, the edit similarity to the nearest solution of
# each benchmark at hand. The hump should lie far from 1, since the guard took away what was near.

# %%
panels = similarity(parts)
display.figure(figures.similarity(panels)) if panels else print("no benchmark at hand")

# %% [markdown]
# ## Does what was found run?
# Table 8 of the paper asks how many seeds and solutions parse and how many run. Here every seed is
# cut out of a file that parses, so the first two are 100 by construction. The third is measured: of
# all candidates, those for which types were found on which they run. Beside the paper's number it
# says how good our guesses of types are, not how good a model's code is.

# %%
sources = ("real", "synthesised", "method-seeded", "teacher")
by_source = [funnel[name] for name in sources if name in funnel]
candidates = sum(counts.get("candidates", 0) for counts in by_source)
failing = sum(n for counts in by_source for why, n in counts.items() if "on which it runs" in why)
table_8 = {"seed_parse_pct": 100.0, "solution_parse_pct": 100.0}
if candidates:
    table_8["solution_execute_pct"] = 100.0 * (candidates - failing) / candidates
display.counts(table_8, "table 8", "percent")

# %% [markdown] tags=["exercise"]
# ## Exercise 1: guess the types
# Nobody says what this function takes. Guess a type for each parameter, as `("int", "list[str]")`
# has two. The check draws eight inputs of your types and calls the function in the sandbox. A wrong
# guess costs nothing: watch what the sandbox says of it.
#
# ```python
# def tagged(items, mark):
#     return [mark + item.upper() for item in set(items)]
# ```

# %% tags=["solution"]
types_of_tagged = ("list[str]", "str")

# %% tags=["check"]
from semcoder_lib.run import check

check.e01_1(types_of_tagged)

# %% [markdown] tags=["instructor"]
# Five minutes. Whoever guesses `list[int]` sees all eight refused, for a number has no `upper`. Let
# them try `("str", "str")` and `("set[str]", "str")`, too: both run. Say: a type here is what a
# function runs on, and the program decides, not its author.

# %% [markdown] tags=["exercise"]
# ## Exercise 2: mutate, and keep the type
# The paper mutates inputs *by their types*: a changed list of numbers is again a list of numbers,
# or nearly every mutated call would fail. Write such a mutation for numbers, truth values, strings
# and lists of whole numbers. A string or a list may be empty: what is changed there?


# %% tags=["solution"]
def mutated(value):
    """Return another value of the same type as `value`, which is an int, a bool, a str, or a list
    of ints; the last two may be empty."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str):
        return value + "a"
    return [*value, 0]


# %% tags=["check"]
from semcoder_lib.run import check

check.e01_2(mutated)

# %% [markdown] tags=["instructor"]
# Five minutes. Most ask for `int` first, and turn `True` into 2, since a bool is an int. Say: a call
# that fails for its types says nothing about the program.

# %% [markdown]
# ## Things to try
# - **Another function.** Put another name of the first table into `FOLLOWED` and run the cells
#   below it. Take `safe_version`, whose types come from a trial; then one that is thrown out, and
#   find the cell where that happens.
# - **Mend the hasty program.** In "Run it again", put `sorted(set(text))` in the place of
#   `set(text)`. The reason should be empty now: the order no longer depends on hashes.
# - **Hide better.** Let `mirrored` return `False` for every word of one letter. It no longer
#   computes quite what the benchmark asks for. Does the guard still see it? How far must a program
#   be from a benchmark, in your opinion?

# %% [markdown]
# ## The card
# The other notebooks take `pyx.jsonl` from this folder; the report draws figures 5 and 6 and fills
# tables 7 and 8 from `results.json`. Table 7 counts how programs fail: candidates of all kinds, or,
# with a teacher, the teacher's solutions when they were first run, as in the paper.

# %%
described = description | {"categories": shares, "similarity": panels}
described["candidates"] = candidates or len(corpus)
if candidates:
    described |= {"errors": funnel["errors"], "candidates_run": candidates, "table_8": table_8}
if teacher_counts:
    described["errors"] = errors = teacher_counts["first_errors"]
    ran_at_once = teacher_counts["ran_after_repairs"].get("0", 0)
    described["candidates_run"] = sum(errors.values()) + ran_at_once
    described["errors_of"] = "solutions of the teacher, when first run"
results = {"funnel": funnel, "description": described}
run.finish(results | ({"teacher": teacher_counts} if teacher_counts else {}))
