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
from semcoder_lib import doctor, stages
from semcoder_lib.reporting import display, figures

session = stages.begin(7, profile, run_name, settings)
print(doctor.show(doctor.examine(quick=True)))
display.table([{"key": k, "value": v, "meaning": m} for k, v, m in session.settings()])

# %% [markdown]
# # 07 · Does the format matter?
# The same programs and inputs in several formats, equal numbers of steps, the same held-out items.
# The paper's table 2 finds monologues far ahead of trace formats; a later paper (arXiv 2509.11686)
# disputes that trace formats help at all. At this size the intervals are wide: read them before the
# bars. The gpu profile adds the other formats and two controls, a monologue with shuffled steps
# and an answer padded to equal length.

# %%
results = stages.work(session)
columns = ("format", "seed", "value", "low", "high", "n", "stopped_by_itself", "tokens")
display.table(results["scores"], columns)

# %%
display.figure(figures.format_bars(results["scores"]))

# %% [markdown]
# ## Paired differences
# Each format against the first one, over the same items: the number to believe.

# %%
display.table(results["differences"])

# %% [markdown]
# ## What each format cost
# Equal steps are not equal tokens: a trace is longer than an answer.

# %%
columns = ("format", "seed", "steps", "tokens", "trained_tokens", "loss_last", "seconds")
display.table(results["training"], columns)

# %%
curves = {f"{t['format']} ({t['seed']})": t["losses"] for t in results["training"]}
display.figure(figures.loss_curve(curves))

# %% [markdown]
# ## The card
# What went in, what came out, on what: the next notebook reuses this stage only while all of it
# stays the same.

# %%
card = session.finish()
display.counts({k: card[k] for k in ("key", "seconds", "peak_memory_bytes", "isolation")})
