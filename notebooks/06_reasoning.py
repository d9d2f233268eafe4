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

session = stages.begin(6, profile, run_name, settings)
print(doctor.show(doctor.examine(quick=True)))
display.table([{"key": k, "value": v, "meaning": m} for k, v, m in session.settings()])

# %% [markdown]
# # 06 · Execution reasoning
# Predict the output of a call, or find an input that gives an output. Held-out PyX is always here:
# program families that training never saw, each source apart. CRUXEval is used where its
# file is found. The base model gets two worked examples and its best form counts (of `baseline_forms`:
# direct, chain of thought); the tuned model is asked for a monologue, and directly for comparison.
# A monologue that has used up its tokens is cut and made to answer at once (column `forced`).

# %%
results = stages.work(session)
columns = (
    "benchmark",
    "model",
    "setting",
    "value",
    "low",
    "high",
    "n",
    "stopped_by_itself",
    "forced",
)
display.table(results["scores"], columns)

# %%
from semcoder_lib.report.paper import TITLES

display.figure(figures.scores(results["scores"], TITLES))

# %% [markdown]
# ## Did training help?
# Paired over the same items, base in its best form against tuned, with a monologue and without.

# %%
display.table(results["differences"])

# %% [markdown]
# ## Each source apart
# Synthesised and method-seeded programs resemble the training data more than real ones do.

# %%
display.table(results["parts"], ("part", *columns))

# %% [markdown]
# ## Is the reasoning true?
# The verifier reads the model's own monologues. A right answer that rests on a contradicted step is
# luck, and is counted as such. Where their files are found, the texts that the released SemCoder-S
# wrote for CRUXEval are scored and read in the same way: the paper's first limitation, in numbers.

# %%
display.table(results["faithfulness"])

# %%
display.table(results["claims"])

# %%
display.table(results.get("released", []), ("benchmark", "model", "scorer", "value", "n"))

# %%
display.counts(results["missing"], "benchmark that is not here", "why")

# %% [markdown]
# ## The card
# What went in, what came out, on what: the next notebook reuses this stage only while all of it
# stays the same.

# %%
card = session.finish()
display.counts({k: card[k] for k in ("key", "seconds", "peak_memory_bytes", "isolation")})
