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

session = stages.begin(8, profile, run_name, settings)
print(doctor.show(doctor.examine(quick=True)))
display.table([{"key": k, "value": v, "meaning": m} for k, v, m in session.settings()])

# %% [markdown]
# # 08 · Self-refinement, with the feedback named
# The paper's figure 3 feeds failing *hidden* tests back to the model. That is an oracle: no user has
# it. Here each feedback source has its own curve: `public` (examples in the prompt), `self` (tests
# that the model writes), `trace` (a public case with the trace of its run) and `oracle`, dashed.

# %%
results = stages.work(session)
display.figure(figures.refinement_curves(results["curves"]))

# %%
display.table(
    [
        {"model": c["model"], "curve": c["label"], **p}
        for c in results["curves"]
        for p in c["points"]
    ]
)

# %% [markdown]
# ## What was fixed, what was broken
# Replacing a solution whether or not the new one is better (the paper's rule) breaks some that were
# right. Keeping the better one, by the feedback that the loop sees, cannot fall on that feedback; it
# can on hidden tests.

# %%
display.table(results["changes"])

# %% [markdown]
# ## How the failing ones fail

# %%
display.table(results["atlas"])

# %% [markdown]
# ## The card
# What went in, what came out, on what: the next notebook reuses this stage only while all of it
# stays the same.

# %%
card = session.finish()
display.counts({k: card[k] for k in ("key", "seconds", "peak_memory_bytes", "isolation")})
