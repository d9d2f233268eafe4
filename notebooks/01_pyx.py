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
# To teach what programs do, one needs programs that can be *run*: self-contained, with inputs, and
# with outputs that are the same every time. The paper calls this corpus **PyX** (sections 3.1 and
# 3.2). Its authors released the rows, but not the code that made them. Here it is made anew:
#
# ```text
# function of an installed package ┐
#                                  ├→ types → inputs → cases → run again → benchmarks → PyX
# program of the synthesiser       ┘  guess   grow    choose   other hash   keep out
# ```
#
# You will see one function go through all of these steps, two programs that are thrown out, and
# why; then a synthesised program; then the whole corpus, with every loss counted.

# %% tags=["parameters"]
profile = "smoke"  # smoke, laptop, gpu or paper; papermill puts the run's own here
run_name = ""  # the folder under runs/; the profile's name when empty
settings = ""  # "key=value key=value": overrides of the profile

# %%
from semcoder_lib import begin

run = begin("01_pyx", profile, run_name, settings)
p = run.profile

# %% [markdown]
# ## Functions that are already there
# The packages in this environment are full of small functions that people wrote and tested. Those
# are taken that need nothing but themselves; helpers and constants of the same file are copied in.
# Nothing is imported, and nothing is run yet. Each carries package, version, licence, file and
# line, so that whoever publishes the corpus can name the authors.

# %%
import itertools

from semcoder_lib import corpus as pyx
from semcoder_lib.corpus import seeds
from semcoder_lib.report import display

found = itertools.islice(seeds.packages(seed=p.seed), 16)
prospects = [pyx.Prospect(function.program, function.signature) for function in found]
display.table(
    [
        {
            "function": prospect.program.entry_point,
            "package": prospect.program.provenance.package,
            "licence": prospect.program.provenance.licence,
            "lines": prospect.program.source.count("\n"),
        }
        for prospect in prospects
    ]
)

# %% [markdown]
# A **prospect** is a program on its way into the corpus. One object goes through all the steps and
# collects what they find out. We follow this one.

# %%
FOLLOWED = "longest_common_subsequence"
one = next((q for q in prospects if q.program.entry_point == FOLLOWED), prospects[0])
where = one.program.provenance
print(f"{where.package} {where.version} ({where.licence}), {where.file}:{where.line}")
display.code(one.program.source)

# %% [markdown]
# ## Guess the types
# To call a function one has to know what it takes, and Python does not say. The text gives hints:
# examples in the docstring, annotations, default values, what the code does with a parameter. Where
# there is no more than the code, several guesses are likely.

# %%
display.table(
    [
        {"parameter": name, "likely types": ", ".join(hint.types[:4]), "read in": hint.source}
        for name, hint in zip(one.signature.names, one.signature.hints, strict=True)
    ]
)

# %% [markdown]
# Every likely combination is tried in the sandbox on five inputs each, and the one on which the
# function runs best is taken: most lines reached, most calls that return, most different results.
# A function that runs on none of them is out. That is the first loss, and a large one.

# %%
left = pyx.guess_types(prospects, run.box, seed=p.seed)
display.table(
    [
        {
            "function": prospect.program.entry_point,
            "takes": ", ".join(prospect.program.argument_types),
            "out, because": f"{prospect.reason} ({prospect.detail})" if prospect.reason else "",
        }
        for prospect in prospects
    ]
)

# %% [markdown]
# ## Grow inputs
# Inputs are made in two ways. One is *fresh*: random values of the right types, with the constants
# of the program among them. The other is *mutation*, the paper's way (section 3.2): take an input
# that reached something new and change it a little. Here are both, by hand.

# %%
import random

rng = random.Random(p.seed)
takes = one.program.argument_types or ("str",)
for _ in range(3):
    call = pyx.generate(takes, rng, constants=one.constants)
    print("fresh", call, "→ mutated", pyx.mutate(call, takes, rng, constants=one.constants))

# %% [markdown]
# Now for all that are left: each input runs, and the lines and branches that it reaches are noted.
# As long as a branch is missing, mutations of the best inputs follow, for three rounds at most.
# Look at the column "from": examples of the function's own authors are used, too.

# %%
left = pyx.grow_inputs(left, run.box, cases=6, seed=p.seed)
print(len(one.inputs), "inputs,", len(one.good()), "of them ran, rounds of mutation:", one.rounds)
display.table(
    [
        {"arguments": tried.text, "what happened": tried.ran.text, "from": tried.source}
        for tried in one.inputs[8:18]
    ]
)

# %% [markdown]
# ## Choose the cases
# Six inputs are enough, if they are the right six: first those that reach new branches, then those
# with new outputs, short ones before long ones. With their outputs they are the program's
# **cases**. A program is out when its cases would teach nothing: always the same output, an
# argument handed back, or half of its lines never reached.

# %%
left = pyx.choose_cases(left, cases=6)
lines, branches = one.coverage(one.chosen)
print(f"{lines:.0%} of the lines and {branches:.0%} of the branches are reached")
display.table([{"arguments": i.text, "output": i.ran.text, "from": i.source} for i in one.chosen])

# %% [markdown]
# ## Run it again
# The same inputs, in reverse order, in a fresh process whose strings have **another hash seed**.
# What is random, keeps state, or depends on the order of a set gives something else now, and is
# out. This program looks harmless. Would you have seen what is wrong with it?

# %%
from semcoder_lib.core import records
from semcoder_lib.sandbox import Sandbox

HASTY = """\
def some_letter(text):
    for letter in set(text):
        if letter != ' ':
            return letter
    return ''
"""
hasty = pyx.Prospect(records.Program(HASTY, "some_letter", id="hasty", argument_types=("str",)))
with Sandbox(run.box.level, workers=1, hash_seed=1) as again:
    pyx.develop([hasty], run.box, again, cases=6, seed=p.seed)
    left = pyx.run_again(left, again)
print("some_letter:", hasty.reason)
print(one.program.entry_point + ":", one.reason or "the same as before")

# %% [markdown]
# ## Keep the benchmarks out
# A model that has seen the tasks of a benchmark is not measured by it. The **guard** compares each
# program with HumanEval, MBPP and CRUXEval in two ways: by text, as the paper does, and by what it
# computes. The second finds a task that was written anew in other words, like this one.

# %%
guard = pyx.Guard.here(run.box)
display.counts(guard.report, "benchmark", "found")

# %%
DISGUISED = """\
def mirrored(word):
    for place in range(len(word) // 2):
        if word[place] != word[-1 - place]:
            return False
    return True
"""
disguised = pyx.Prospect(
    records.Program(DISGUISED, "mirrored", id="disguised", argument_types=("str",))
)
with Sandbox(run.box.level, workers=1, hash_seed=1) as again:
    pyx.develop([disguised], run.box, again, guard=guard, cases=6, seed=p.seed)
print("mirrored:", disguised.reason or "in no benchmark at hand", disguised.detail)

# %% [markdown]
# The functions that are left so far go past the same guard.

# %%
left = pyx.keep_out_benchmarks(left, guard, run.box, cases=6)
print(one.program.entry_point + ":", one.reason or "is in no benchmark")
print(len(left), "of", len(prospects), "are left")

# %% [markdown]
# ## No duplicates, and a split by families
# What repeats a program of the corpus is out: the same code, nearly the same code, or the same
# outputs on inputs that all programs of its types share. The last step puts about
# `pyx_held_out` of all *families* aside for the evaluation. A family holds near variants (here: all
# functions of one file), so that none is trained on while its twin is asked about.

# %%
seen = pyx.Seen()
left = pyx.drop_duplicates(left, seen)
print("the same program once more:", seen.repeats(one.program.source))
left = pyx.split_families(left, seed=p.seed, held_out=p.pyx_held_out)
display.table(
    [
        {"kept": q.program.entry_point, "family": q.program.family, "split": q.program.split}
        for q in left
    ]
)

# %% [markdown]
# ## The kept program
# This is a row of PyX: the program, its cases, how much of it they reach. `description` is the
# first sentence of its docstring; the tracer, the writers and the model start from here.

# %%
entry = (one if one in left else left[0]).entry()
print(entry.program.description)
print(f"lines {entry.line_coverage:.0%}, branches {entry.branch_coverage:.0%}")
display.table([{"arguments": repr(c.arguments), "output": repr(c.output)} for c in entry.cases])

# %% [markdown]
# ## Programs that nobody wrote
# Functions of packages are few, and many are odd. The **synthesiser** draws everyday programs from
# a grammar of typed templates, line by line. Each line reads what an earlier one left, so nothing
# is computed in vain. From there on a draft is treated like any other program: its types are known,
# its inputs have to be grown. Most drafts that fall have branches that no input reaches, or give
# the same output every time.

# %%
drafts = [pyx.Prospect(program) for program in seeds.synthesise(12, seed=p.seed)]
grown = pyx.grow_inputs(drafts, run.box, cases=6, seed=p.seed)
good = pyx.choose_cases(grown, cases=6)
display.table(
    [
        {
            "draft": draft.program.entry_point,
            "takes": ", ".join(draft.program.argument_types),
            "out, because": draft.reason,
        }
        for draft in drafts
    ]
)

# %% [markdown]
# One that is kept. Every template has its English beside its code, so the description comes out
# together with the program and says the same. Compare the two, sentence by sentence: this is what
# lets a model learn to write code from words.

# %%
drawn = (good or drafts)[0].program
told = drawn.description.replace(". ", ".\n")
display.side_by_side(display.code(drawn.source), display.code(told))

# %% [markdown]
# ## With a teacher
# The paper's own way is here, too. With the setting `teacher`, a large model is shown snippets of
# real code and writes a problem with a solution after each. What fails is sent back with its error.
# What runs becomes one more kind of candidate. Without that setting this cell does nothing.

# %%
from semcoder_lib.run import teaching

taught, asked = [], {}
if p.teacher and p.pyx_source == "build":
    taught, asked = teaching.programs_of_teacher(run)
display.counts(asked, "teacher", "count")

# %% [markdown]
# ## All of it
# The same steps in batches, until `pyx_real` functions and `pyx_synthesised` programs are kept. The
# result does not depend on the number of processes. It does depend on the benchmarks that the guard
# knows, so the guard's `key` is given to the step: with another file, the corpus is built again.

# %%
import os
from pathlib import Path


def build(guard_key, folder, **options):
    """Writes the corpus and all that was left out into the folder; the funnel."""
    return pyx.build(folder, progress=print, **options).funnel


if p.pyx_source == "build":
    funnel = run.step(
        "built/", build, guard.key, taught=taught, cases=6, seed=p.seed,
        real=p.pyx_real, synthesised=p.pyx_synthesised, held_out=p.pyx_held_out,
        box=run.box, workers=run.workers,
        backend="ray" if os.environ.get("RAY_ADDRESS") else "process",
    )  # fmt: skip

# %% [markdown]
# There is another way in. With `pyx_source=FILE` the corpus is read from a file in the format of
# the hub, such as the authors' own PyX. Every program is run again, and what does not give the
# recorded output is left out.

# %%
from semcoder_lib.core import workspace
from semcoder_lib.core.errors import UserError


def execute_again(file, folder, **options):
    """The same for the rows of a file in the hub's format."""
    read = pyx.from_hub(workspace.read_jsonl(file), **options)
    workspace.write_jsonl(folder / "pyx.jsonl", map(records.to_row, read.entries))
    workspace.write_jsonl(folder / "dropped.jsonl", read.dropped)
    return dict(read.funnel)


if p.pyx_source != "build":
    file = Path(p.pyx_source)
    if not file.is_file():
        raise UserError(f"pyx_source: {file} is not a file; give a PyX file in the hub's format")
    funnel = run.step(
        "built/", execute_again, file, seed=p.seed, held_out=p.pyx_held_out, box=run.box
    )


# %% [markdown]
# Two files are kept for the notebooks that follow: the corpus, and what was dropped with its
# reason.


# %%
def load(folder, funnel):
    """The corpus that a step built."""
    return pyx.load(folder), funnel


def rows(file):
    """The rows of a file."""
    return list(workspace.read_jsonl(file))


corpus, funnel = run.step("pyx.jsonl", load, run.path("built"), funnel)
dropped = run.step("dropped.jsonl", rows, run.path("built") / "dropped.jsonl")
print(len(corpus), "programs,", len(dropped), "left out")

# %% [markdown]
# ## The funnel
# Where candidates are lost, and why. Read it: what a filter throws away shapes what a model learns.
# "second run differs" are programs like `some_letter`, "benchmark behaviour" those like `mirrored`.

# %%
display.counts(funnel, "stage: reason", "programs")

# %% [markdown]
# ## Twenty random rows
# Read these, too. A corpus that nobody has read is a corpus that nobody knows.

# %%
from semcoder_lib.evaluation.answers import sample_tasks

display.table(
    [
        {
            "from": e.program.provenance.package,
            "first line": e.program.source.split("def ", 1)[-1].split("\n")[0],
            "what it does": e.program.description[:80],
            "lines": e.line_coverage,
            "branches": e.branch_coverage,
            "split": e.program.split,
        }
        for e in sample_tasks(corpus, 20, p.seed)
    ]
)

# %% [markdown]
# ## In numbers

# %%
description = run.step("description.json", pyx.describe, corpus)
plain = ("programs", "cases", "families", "lines", "coverage", "origin", "split", "licence")
display.counts({name: description[name] for name in plain}, "corpus", "count")

# %% [markdown]
# ## What kinds of programs
# Figure 6 of the paper: the share of each category, by a rule that is written down (words of the
# description and imports). Package functions and synthesised programs cover different ground.

# %%
from semcoder_lib.report import figures

NAMES = {"package": "real functions", "synthesised": "synthesised", "teacher": "teacher"}
parts = {}
for name in dict.fromkeys(NAMES.values()):
    part = [e for e in corpus if NAMES.get(e.program.origin, "real functions") == name]
    parts |= {name: part} if part else {}
shares = {
    name: {kind: n / len(part) for kind, n in pyx.describe(part)["category"].items()}
    for name, part in parts.items()
}
display.figure(figures.categories(shares)) if shares else None

# %% [markdown]
# ## How near to the benchmarks
# Figure 5: for a sample of the corpus, the edit similarity to the nearest solution of each
# benchmark at hand. The hump should lie far from 1: the guard has taken away what was near.

# %%
from semcoder_lib.evaluation.similarity import similarity

panels = similarity(parts)
display.figure(figures.similarity(panels)) if panels else print("no benchmark at hand")

# %% [markdown]
# ## Does code that was found run?
# Table 8 of the paper asks how many seeds and solutions parse and how many run. Here every seed is
# cut out of a file that parses, so the first two are 100 by construction. The third is measured: of
# all candidates, those for which some types were found on which they run.

# %%
tried = [funnel[n] for n in ("real", "synthesised", "teacher") if n in funnel]
candidates = sum(counts.get("candidates", 0) for counts in tried)
failing = sum(n for part in tried for why, n in part.items() if "on which it runs" in why)
table_8 = {
    "seed_parse_pct": 100.0,
    "solution_parse_pct": 100.0,
    "solution_execute_pct": 100.0 * (candidates - failing) / candidates if candidates else 0.0,
}
display.counts(table_8, "table 8", "percent")

# %% [markdown]
# ## Things to try
# - **Another function.** Put another name of the first table into `FOLLOWED` and run the cells below
#   it. Take one with "likely types" from a trial, such as `safe_version`; then one that is thrown
#   out, and find the cell where it happens.
# - **Mend the hasty program.** In "Run it again", replace `set(text)` by `sorted(set(text))`. The
#   reason should be empty now: the order no longer depends on hashes.
# - **Hide better.** Change `mirrored` so that it answers `True` for words of one letter only if they
#   are vowels. It no longer computes what the benchmark asks for, and the guard lets it pass. Is
#   that right? How far must a program be from a benchmark?

# %% [markdown]
# ## The card
# The other notebooks take `pyx.jsonl` from this folder; the report draws figures 5 and 6 and fills
# table 8 from `results.json`.

# %%
description |= {"categories": shares, "similarity": panels}
description["candidates"] = candidates or len(corpus)
if candidates:
    description |= {"errors": funnel["errors"], "candidates_run": candidates, "table_8": table_8}
if asked:  # the paper's table 7 counts how a teacher's solutions fail at first
    failed = asked["first_errors"]
    description["errors"] = failed
    description["candidates_run"] = sum(failed.values()) + asked["ran_after_repairs"].get("0", 0)
    description["errors_of"] = "solutions of the teacher, when first run"
run.finish({"funnel": funnel, "description": description, **({"teacher": asked} if asked else {})})
