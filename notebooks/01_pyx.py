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

# %% tags=["parameters"]
profile = "smoke"  # smoke, laptop, gpu or paper; papermill puts the run's own here
run_name = ""  # the folder under runs/; the profile's name when empty
settings = ""  # "key=value key=value": overrides of the profile

# %%
from semcoder_lib.report import display, figures
from semcoder_lib.run import doctor, stages

session = stages.begin(1, profile, run_name, settings)
print(doctor.show(doctor.examine(quick=True)))
display.table([{"key": k, "value": v, "meaning": m} for k, v, m in session.settings()])

# %% [markdown]
# # 01 · PyX: a corpus of programs that run
# The authors released PyX but not the code that builds it. Here it is built from real functions
# taken from installed open-source packages and the standard library (each row carries package,
# version, licence, file and line), from a synthesiser of typed everyday programs, and from programs
# and one-line drills around the methods of `str`, `list` and `dict` (`pyx_methods`); with a teacher
# (`teacher`) also from programs that a large model writes, the paper's own way. Nothing
# enters without an execution record: inputs are grown by mutation, every program runs in the sandbox
# with limits, every output is recorded twice.

# %%
results = stages.work(session)
description = results["description"]
display.counts({k: v for k, v in description.items() if isinstance(v, int | float)})

# %% [markdown]
# ## The funnel
# Where candidates are lost, and why. A program that needs the outside world, that is random, or
# whose output depends on hash order is dropped with that reason.

# %%
display.counts(results["funnel"], "stage: reason", "programs")

# %%
if "teacher" in results:
    display.counts(results["teacher"], "teacher", "count")

# %% [markdown]
# ## One program
# A seed becomes a program becomes cases. This is a real function with the call and value that the
# sandbox recorded.

# %%
from semcoder_lib import corpus as pyx
from semcoder_lib.core import values

entries = pyx.load(session.path("pyx.jsonl"))
longer = [e for e in entries if e.program.source.count("\n") > 7]
real = next((e for e in longer if e.program.origin == "package"), entries[0])
where = real.program.provenance
print(f"{where.package} {where.version} ({where.licence}), {where.file}:{where.line}")
display.code(real.program.source)


# %%
def cases_of(entry):
    return [
        {
            "call": values.show_call(entry.program.entry_point, case.arguments),
            "value": values.encode(case.output),
            "from": case.source,
        }
        for case in entry.cases
    ]


display.table(cases_of(real))

# %% [markdown]
# And one that the synthesiser made, with the description that was derived from it.

# %%
made = next((e for e in entries if e.program.origin == "synthesised"), entries[-1])
print(made.program.description)
display.code(made.program.source)

# %%
taught = next((e for e in entries if e.program.origin == "teacher"), None)
if taught:
    print("And one that the teacher wrote after a snippet of", taught.program.provenance.package)
    print(taught.program.description)
    display.code(taught.program.source)
    display.table(cases_of(taught))

# %% [markdown]
# ## Twenty random rows
# Read them. A corpus nobody has read is a corpus nobody knows.

# %%
from semcoder_lib.run.stages import evaluation

picked = evaluation.sample_tasks(entries, 20, session.profile.seed)
display.table(
    [
        {
            "program": e.program.id,
            "from": e.program.provenance.package or e.program.origin,
            "first line": e.program.source.split("def ", 1)[-1].split("\n")[0],
            "what it does": e.program.description[:80],
            "cases": len(e.cases),
            "lines": e.line_coverage,
            "branches": e.branch_coverage,
        }
        for e in picked
    ]
)

# %% [markdown]
# ## Overlap with the benchmarks
# What was removed because it resembles a benchmark item, by text or by behaviour, is listed in
# `dropped.jsonl`. What is left is compared with each benchmark by the paper's edit similarity
# (figure 5), where the benchmark is at hand.

# %%
panels = description.get("similarity") or {}
display.figure(figures.similarity(panels)) if panels else print("no benchmark at hand")

# %% [markdown]
# ## What kinds of programs
# Figure 6: categories by a written-down rule.

# %%
display.figure(figures.categories(description["categories"]))

# %% [markdown]
# ## The card
# What went in, what came out, on what: the next notebook reuses this stage only while all of it
# stays the same.

# %%
card = session.finish()
display.counts({k: card[k] for k in ("key", "seconds", "peak_memory_bytes", "isolation")})
