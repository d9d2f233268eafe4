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
from semcoder_lib import begin
from semcoder_lib import corpus as pyx

run = begin("01_pyx", profile, run_name, settings)
p = run.profile


# %%
def build(cache, box, **options):
    """The whole corpus, and the funnel."""
    built = pyx.build(cache, box=box, **options)
    return pyx.load(built.path), built.funnel


corpus, funnel = run.step(
    "pyx.jsonl",
    build,
    cache=run.path("cache_pyx"),
    real=p.pyx_real,
    synthesised=p.pyx_synthesised,
    cases=6,
    seed=p.seed,
    held_out=p.pyx_held_out,
    box=run.box,
    workers=run.workers,
)

# %%
run.finish({"funnel": funnel})
