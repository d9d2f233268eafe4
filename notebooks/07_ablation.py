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
from semcoder_lib.report import display, figures, paper
from semcoder_lib.run import doctor, stages

session = stages.begin(7, profile, run_name, settings)
print(doctor.show(doctor.examine(quick=True)))
display.table([{"key": k, "value": v, "meaning": m} for k, v, m in session.settings()])

# %% [markdown]
# # 07 · Does the format matter?
# The same executions in several formats, every format from the same base model and with the same
# number of steps, evaluated on the same items. The paper's table 2 finds monologues far ahead of
# trace formats; a later paper (arXiv 2509.11686) disputes that trace formats help at all. Two
# controls tell form from content: a monologue with its steps shuffled, and an answer behind empty
# words of equal length. At a laptop's size the intervals are wide: read them before the bars.

# %%
results = stages.work(session)
columns = ("benchmark", "view", "format", "seeds", "value", "low", "high", "n")
display.table(results["pooled"], columns)

# %%
display.figure(figures.format_bars(results["pooled"], results["scores"], paper.TITLES))

# %% [markdown]
# ## Paired differences
# Each format against the first one, over the same items: the number to believe. Over the seeds
# first, then seed by seed.

# %%
paired = [
    {"benchmark": row["benchmark"], "view": row["view"], "format": row["format"], **difference}
    for row in results["pooled"]
    if (difference := row.get("difference"))
]
display.table(paired)

# %%
columns = ("benchmark", "view", "format", "seed", "value", "low", "high", "n", "p_mcnemar")
display.table(results["differences"], columns)

# %% [markdown]
# ## Where chains break
# Every step that a model wrote is compared with the recorded execution: claims of a monologue by
# the verifier, lines of a trace format one by one. `whole` chains have every step right;
# `right_by_right_steps` are the right answers that rest on such a chain. The others were guessed,
# or are right in spite of a wrong step.

# %%
columns = ("view", "format", "n", "whole", "right", "right_by_right_steps", "right_steps", "steps")
display.table(results["chains"], columns)

# %%
display.figure(figures.chain_survival(results["chains"]))

# %% [markdown]
# ## For which programs
# By the number of executed lines, and by what the program has.

# %%
columns = ("view", "format", "kind", "n", "value", "low", "high")
display.table(results["parts"], columns)

# %% [markdown]
# ## What each format cost
# Equal examples are not equal tokens: a trace is longer than an answer. The view `tokens`
# (from two `ablation_seeds` on) gives every format as many trained tokens as the longest one has.

# %%
columns = ("view", "format", "seed", "examples", "steps", "tokens", "trained_tokens", "seconds")
display.table(results["training"], columns)

# %%
curves = {
    f"{t['format']} ({t['seed']}){'' if t['view'] == 'examples' else ', equal tokens'}": t["losses"]
    for t in results["training"]
}
display.figure(figures.loss_curve(curves))

# %% [markdown]
# ## The card
# What went in, what came out, on what: the next notebook reuses this stage only while all of it
# stays the same.

# %%
card = session.finish()
display.counts({k: card[k] for k in ("key", "seconds", "peak_memory_bytes", "isolation")})
