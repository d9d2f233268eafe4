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

session = stages.begin(3, profile, run_name, settings)
print(doctor.show(doctor.examine(quick=True)))
display.table([{"key": k, "value": v, "meaning": m} for k, v, m in session.settings()])

# %% [markdown]
# # 03 · PyX-R: faults, why they fail, and a fix that holds
# For debugging, a model needs programs that fail for a known reason. Faults come from two sources,
# kept apart: named mutations of PyX programs, and completions of the base model that fail a case.
# Each row has the smallest failing case, the first step at which the wrong and the right execution
# part, a rationale whose claims were checked, and a fix that passes every case.

# %%
results = stages.work(session)
display.counts(results["mutation"]["funnel"], "mutation", "mutants")

# %%
display.counts(results["mutation"]["operators"], "operator", "accepted faults")

# %%
display.counts(results["model"]["funnel"], "the base model's own", "completions")

# %%
if "teacher" in results:
    display.counts(results["teacher"], "teacher", "count")

# %% [markdown]
# ## One fault
# The failing call, what it should give, what it gives, and the rationale that leads to the fix.

# %%
from semcoder_lib import faults as pyx_r
from semcoder_lib.run.stages import s03_pyx_r

faults = s03_pyx_r.load(session.folder)
fault = min(faults, key=lambda f: abs(len(f.rationale) - 900))
print(f"{fault.operator}: {pyx_r.failed_test(fault)}, but it is {fault.actual}")
display.side_by_side(display.code(fault.buggy), display.code(fault.fixed))

# %%
display.code(fault.rationale)

# %% [markdown]
# ## The card
# What went in, what came out, on what: the next notebook reuses this stage only while all of it
# stays the same.

# %%
card = session.finish()
display.counts({k: card[k] for k in ("key", "seconds", "peak_memory_bytes", "isolation")})
