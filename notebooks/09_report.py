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

# %% [markdown]
# # 09 · The report
#
# The paper's eight tables and six figures, each beside this run's own numbers, or named with the
# reason why it is not there. Cells that this run filled carry their 95 % interval and n, the number
# of tasks. Nothing is computed anew: all of it is read from what the other notebooks left.
#
# How to read them: the settings differ (a small model against 6.7B, a corpus without a teacher
# against one written by GPT-4o-mini). The *level* of a score cannot be compared. What can be
# compared is the direction of each gain, and whether its interval leaves out zero.

# %% tags=["parameters"]
profile = "smoke"  # a name in profiles/; papermill puts the run's own here
run_name = ""  # the folder under runs/; the profile's name when empty
settings = ""  # "key=value key=value": overrides of the profile

# %%
from semcoder_lib import begin

run = begin("09_report", profile, run_name, settings)
run.reads(*(f"{path.parent.name}/{path.name}" for path in run.run.path.glob("0[0-8]_*/*.json")))

# %% [markdown]
# ## What the run left
# Every notebook that finished left `results.json` and a card. The card says from which files,
# settings and versions the results were made; cards that do not belong together are named here (a
# line with "note:"), and never silently mixed.

# %%
from semcoder_lib import report as reporting
from semcoder_lib.report import display

data = reporting.read(run.run.path)
display.table(
    [
        {
            "notebook": reporting.FOLDERS[number],
            "minutes": card.seconds / 60,
            "GB": card.peak_memory_bytes / 1e9,
        }
        for number, card in data.cards.items()
    ]
)

# %%
display.counts(dict(reporting.facts(data)), "what", "value")

# %%
for warning in data.warnings:
    print("note:", warning)

# %% [markdown]
# ## In a few sentences
# Made of this run's numbers only: first what an interval says, then what lies within noise, then
# what the verifier found in the model's own monologues.

# %%
for line in reporting.headline(data):
    print("-", line)

# %% [markdown]
# Now the tables. Each is the paper's, with the rows or columns of this run added. Above it stands
# what one has to know to read it; "–" is what nobody measured.


# %%
def table(name):
    """A table of the paper with this run's rows, or the reason why this run has none."""
    try:
        numbers = reporting.TABLES[name](data)
    except reporting.Absent as why:
        return display.code(f"{name}: {why}")
    for line in filter(None, [numbers.reason, *numbers.notes]):
        print(f"{name}: {line}")
    return display.table([dict(zip(numbers.columns, row, strict=True)) for row in numbers.rows])


# %% [markdown]
# ## Table 1: the main results
# Code generation (notebook 05) and execution reasoning (06). The paper's columns are of models with
# 6.7 billion weights; look at the gain from `base` to `tuned`, not at the level, and at whether the
# interval of our paired gain leaves out zero.

# %%
table("table_1")

# %% [markdown]
# ## Table 2: formats of execution reasoning
# The paper's claim: monologues teach execution better than traces do. Is that so in this run,
# beyond the interval? The last column says how often *all* the steps were right. Notebook 07 has
# the controls.

# %%
table("table_2")

# %% [markdown]
# ## Table 3: debugging and self-refinement
# By prompting alone (3a) and after fine-tuning on PyX-R (3b), after the last round. Which feedback
# a row saw decides what it means (notebook 08): the paper's rows saw the hidden tests, as ours with
# `oracle`.

# %%
display.side_by_side(table("table_3a"), table("table_3b"))

# %% [markdown]
# ## Table 4: real traces in the prompt
# Does a recorded trace of the failing run help the repair? Our row needs `trace` in
# `refine_sources`.

# %%
table("table_4")

# %% [markdown]
# ## Table 5: without reasoning
# The same models, asked for the answer alone. Hold it beside the rows of table 1: the comparison of
# a monologue with a direct answer is what the whole idea stands on.

# %%
table("table_5")

# %% [markdown]
# ## Table 6: larger and closed models
# How far away models are that were trained with thousands of times more. Our rows are those of
# tables 1 and 5 once more, for comparison.

# %%
table("table_6")

# %% [markdown]
# ## Tables 7 and 8: the corpus
# Which errors programs end with when they are first run, and how many candidates parse and execute.

# %%
display.side_by_side(table("table_7"), table("table_8"))

# %% [markdown]
# ## The whole report
# All tables and figures, the check list, and where everything came from, as one page to read or to
# send. Every figure is there as PNG and SVG with its numbers as CSV.

# %%
results = reporting.write_report(run.run.path, run.folder)
display.table([*results["tables"], *results["figures"]], ("name", "present", "filled", "reason"))

# %%
print(f"runs/{run.run.name}/{run.name}/report.html and report.md")

# %% [markdown]
# ## Things to try
# - **Compare two runs.** `python -m semcoder_lib compare runs/A runs/B` pairs every verdict of two
#   runs and says which metric differs by more than chance; exit status 4 when one fell.
# - **Find an interval that is too wide to say anything.** In table 1, which rows could be half or
#   twice as high? Which setting of the profile would make them narrower, and at what cost?
# - **Trace a number to its bytes.** Take one score, find its `verdicts_*.jsonl` in the folder of
#   its notebook, and count the rows that passed.

# %% [markdown]
# ## The card
# The last one. It names every file that the report was made from.

# %%
run.finish(results)
