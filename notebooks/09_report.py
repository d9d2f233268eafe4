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

session = stages.begin(9, profile, run_name, settings)
print(doctor.show(doctor.examine(quick=True)))
display.table([{"key": k, "value": v, "meaning": m} for k, v, m in session.settings()])

# %% [markdown]
# # 09 · The report
# The paper's eight tables and six figures, each present, or named with the reason why not. Cells
# that this run filled stand beside the paper's, with interval and difference. The settings differ
# (135M against 6.7B, a corpus without a teacher against one written by GPT-4o-mini), so what can be
# compared is the direction and size of each gain, not the level.

# %%
results = stages.work(session)
for line in results["headline"]:
    print("-", line)

# %%
display.table(results["tables"])

# %%
display.table(results["figures"])

# %%
for warning in results["warnings"]:
    print("note:", warning)

# %% [markdown]
# ## Table 1

# %%
from semcoder_lib import report as reporting

data = reporting.read(session.run.path)
table = reporting.tables.main_results(data)
display.table([dict(zip(table.columns, row, strict=True)) for row in table.rows])

# %% [markdown]
# ## Table 2

# %%
table = reporting.tables.formats(data)
display.table([dict(zip(table.columns, row, strict=True)) for row in table.rows])

# %% [markdown]
# The whole report, to read or to send.

# %%
print("report.html and report.md are in", f"runs/{session.run.name}/{session.stage.label}/")

# %% [markdown]
# ## The card
# What went in, what came out, on what: the next notebook reuses this stage only while all of it
# stays the same.

# %%
card = session.finish()
display.counts({k: card[k] for k in ("key", "seconds", "peak_memory_bytes", "isolation")})
