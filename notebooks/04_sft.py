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

session = stages.begin(4, profile, run_name, settings)
print(doctor.show(doctor.examine(quick=True)))
display.table([{"key": k, "value": v, "meaning": m} for k, v, m in session.settings()])

# %% [markdown]
# # 04 · Fine-tuning on all tasks together
# NL-to-code, forward and backward rows are shuffled together, each with its own task prefix, and the
# loss is on the completion only (section 4.3 of the paper). Then a short second phase on PyX-R. The
# default model is SmolLM2-135M-Instruct (Q4_1, dequantised), fifty times smaller than the paper's.
# Training that silently learns nothing is the commonest failure of all, so guard rails stop it: too
# few trained tokens, an untrained end token, truncated answers, a loss that does not fall.

# %%
results = stages.work(session)
display.counts(results["examples"], "rows", "count")

# %% [markdown]
# ## What is trained
# One example as the model sees it. Only the highlighted tokens carry loss; the last one is the end
# token, so that the model learns to stop.

# %%
main = results["main"]
display.Shown(main["highlighted_html"], main["highlighted_text"])

# %%
hidden = ("losses", "highlighted_html", "highlighted_text")
display.counts({k: v for k, v in main.items() if k not in hidden})

# %% [markdown]
# ## The loss
# Nats per trained token. A uniform guess over the vocabulary would be 10.8. `held_out_loss`, above, is
# that of rows about programs of other families, and `stopped_by_itself` the share of such rows that the
# tuned model ended with an end of its own.

# %%
curves = {n: results[n]["losses"] for n in ("main", "refine") if n in results}
display.figure(figures.loss_curve(curves))

# %% [markdown]
# ## The card
# What went in, what came out, on what: the next notebook reuses this stage only while all of it
# stays the same.

# %%
card = session.finish()
display.counts({k: card[k] for k in ("key", "seconds", "peak_memory_bytes", "isolation")})
