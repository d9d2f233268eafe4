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
# # 08 · Self-refinement, with the feedback named
#
# A model that understands what a program does should be able to mend its own: it sees its solution,
# a failing test, and tries again (paper, sections 4.3, 6.3 and C.1).
#
# Two kinds of tests are involved. **Visible** ones decide whether the model is asked again, and one
# of them is shown to it. **Hidden** ones decide whether the program is right in the end. The
# paper's figure 3 feeds failing *hidden* tests back to the model. That is an oracle: no user has
# it. Here each **feedback source** has its own curve:
#
# | Source | What the model may see |
# |---|---|
# | `public` | the examples in the problem |
# | `self` | tests that the model wrote itself, right or wrong |
# | `trace` | as `public`, and the recorded trace of the failing run |
# | `oracle` | the hidden tests, as in the paper; dashed in the figure |
#
# You will see one round by hand: a program, a test that fails, the prompt, the answer, the
# decision. Then the loop over all tasks, and what it mended and what it *broke*.

# %% tags=["parameters"]
profile = "smoke"  # a name in profiles/; papermill puts the run's own here
run_name = ""  # the folder under runs/; the profile's name when empty
settings = ""  # "key=value key=value": overrides of the profile

# %%
from semcoder_lib import begin

run = begin("08_refinement", profile, run_name, settings)
p = run.profile

# %% [markdown]
# Three settings say what is compared: the sources, the rules by which an answer is taken or not,
# and the temperatures (0 is greedy). Each combination is one curve of each model.

# %%
from semcoder_lib.report import display

sources, rules = p.names("refine_sources"), p.names("refine_accept")
temperatures = [float(text) for text in p.names("refine_temperatures")]
choices = {"sources": sources, "rules": rules, "temperatures": temperatures}
display.counts(choices, "setting", "compared")

# %% [markdown]
# ## Programs to mend
# Two kinds of tasks. *Given faults*: a program of the held-out split, broken by a mutation of
# notebook 03, to be repaired. Training never saw its family. Visible is its one failing call;
# hidden are that call and all cases of the program, so that a fix for the one call alone does not
# count. (Four times as many faults are made as are needed, and some are drawn, so that they are of
# many operators and programs.)

# %%
from semcoder_lib import faults as pyx_r
from semcoder_lib import refinement
from semcoder_lib.evaluation import answers

corpus = run.kept("01_pyx/pyx.jsonl")[0]
held_out = [entry for entry in corpus if entry.program.split == "held_out"]
count = max(1, p.refine_tasks)  # one for the round by hand, even where there is no loop
faults, _ = run.step(
    "faults.jsonl", pyx_r.build, held_out, limit=4 * count, seed=p.seed, box=run.box
)
broken = refinement.from_faults(answers.sample_tasks(faults, count, p.seed), held_out)
print(len(broken), "faults of held-out programs")

# %% [markdown]
# *Own solutions*: tasks of the first benchmark for code, which the model first has to solve. It is
# asked for that first solution in its chat if it has one; if not, as in notebook 05, a tuned model
# by an instruction, the base model in the first of its forms. Visible are the examples in the
# task's text, as far as they can be read as a call and its value; hidden are the benchmark's own
# tests. (In the rounds a model with a chat is asked there, too, unless it learned to mend without.)
# A profile that asks for fewer programs in notebook 05 than it mends here leaves them out: with a
# handful of tasks their curve would say nothing.

# %%
from semcoder_lib import evaluation

benchmark = next(iter(p.names("codegen_benchmarks")), "humaneval")
missing = {}


def own_tasks(form):
    """Benchmark tasks whose first solution is asked for in this form; none without the data."""
    try:
        return refinement.from_benchmark(
            benchmark,
            run.box,
            limit=p.refine_tasks,
            seed=p.seed,
            style=p.style,
            reasoning=answers.CODE_FORMS[form],
        )
    except evaluation.Missing as why:
        missing[benchmark] = str(why)
        return []


own = "chat" if "chat" in p.codegen_forms else ""  # a model with a chat is asked in it
base_form, tuned_form = own or p.codegen_forms[0], own or "instruction"
enough = not p.codegen_tasks or p.codegen_tasks >= p.refine_tasks
forms = sorted({base_form, tuned_form}) if p.refine_tasks and enough else []
problems = {form: own_tasks(form) for form in forms}
shown = next(iter(problems.values()), [])[:10]  # the forms differ in the prompt alone
display.table([{"task": t.id, "visible": len(t.public), "hidden": len(t.hidden)} for t in shown])

# %% [markdown]
# ## The models
# The base model, the one tuned in notebook 04, and, where it was trained, the same after PyX-R
# (`refined`, and `traced` with real traces in its prompts). The first two mend by prompting alone
# (the paper's table 3a); `refined` has learned how (3b), `traced` is that of table 4.

# %%
from semcoder_lib.run.models import models_of

models = models_of(run, refined=True)
print(", ".join(model.label for model in models))

# %% [markdown]
# ## One round by hand
# A task with its present program: the problem in words, then the program that is wrong. Read it,
# and say what is wrong with it before you go on.

# %%
visible = [task for task in (*broken, *shown) if task.public]
task = run.need(visible, "tasks with a visible check")[0]
program = task.initial or f"def {task.entry_point}():\n    pass  # the model's own comes here\n"
display.code(f"{task.problem}\n\n{program}")

# %% [markdown]
# A **check** is a call with the value that it must give. The sandbox runs the visible ones on the
# program: here those of the source `public`. The first one that fails is the feedback. The model is
# not told what the program gave instead: to find that out is its work, and the reason why it
# learned to simulate.

# %%
checks = refinement.visible(task, "public")
ran = refinement.run_checks([(program, task.entry_point, checks, task.tolerance)], run.box)[0]
feedback = refinement.feedbacks([(task, program, checks, ran.passed)], "public", run.box)[0]
print(f"{sum(ran.passed)} of {len(checks)} visible checks pass; shown to the model:")
print(feedback.failed_test)

# %% [markdown]
# The prompt shows problem, program and failing test, and asks for a rationale and a mended program.
# These are the words of PyX-R's training rows, so the model that was trained on them knows what is
# wanted. The program is shown without comments and docstrings, as the authors do it, with its lines
# numbered. The prompt ends where the rationale begins.

# %%
from semcoder_lib.models import Request, prompts

prompt = prompts.refine(
    task.problem, refinement.shown_solution(program), feedback.failed_test, style=p.style
)
display.code(prompt.text)

# %% [markdown]
# The answer of the last of the models. Does its rationale name the right line? Is there a program
# at all? A program is taken from after `[Refined]`; an answer without one leaves the old one in
# place. (In the smoke profile the answer is cut off early, and there is hardly ever one.)
#
# *With the profile `workshop`: about 15 seconds.*


# %%
def answer(model, prompt, longest, cache):
    """One greedy completion."""
    with model.engine(cache) as engine:
        request = Request("by hand", prompt.text, prompt.stop, max_new_tokens=longest)
        return {"text": engine.generate([request])[0][0].text}


cache = run.path(f"cache_generations_{models[-1].label}.jsonl")
text = run.step(
    "by_hand.json", answer, models[-1], prompt, min(512, p.codegen_tokens), cache=cache
)["text"]
display.code(text)

# %% [markdown]
# The decision. The paper's rule `replace` takes whatever program the model offers. `keep_better`
# takes it only when it passes more of the *visible* checks: then it cannot fall on those, but it
# can on the hidden ones, which only the last column knows. Would each of the rules have taken this
# one, and would it have been right?


# %%
def passing(title, solution):
    """How many visible and hidden checks a solution passes."""
    groups = {"visible": checks, "hidden": task.hidden}
    row = {"program": title}
    for name, group in groups.items():
        job = (solution, task.entry_point, group, task.tolerance)
        passed = refinement.run_checks([job], run.box)[0].passed
        row[name] = f"{sum(passed)} of {len(group)}"
    return row


offered = refinement.offered(text, p.style)
rows = [passing("before", program)]
rows += [passing("offered", offered)] if offered else [{"program": "no program was offered"}]
display.table(rows)

# %% [markdown]
# ## The loop
# The same for every task, model, source, rule and temperature, round after round:
#
# ```text
# first solution → run the visible checks → all pass: the task is left alone
#                          ↑      ↓
#                          │  one fails → prompt → answer → take it, or keep the old one
#                          └─────────────────── next round ──────────────────┘
# ```
#
# A task without visible checks is left alone, too: there is nothing to show. With `self` the model
# is asked once, before the first round, for assertions that test the function; those are the
# visible checks from then on. With `trace` the failing call is run under the tracer, and its trace
# is put into the prompt in the format `next`. Hidden tests judge the program after each round, and
# only the curve hears of it.


# %%
def plans_of(model):
    """Every curve that is to be drawn of a model: {(task set, source, rule, temperature): plan}."""
    form = tuned_form if model.adapter else base_form
    untaught = model.label in ("base", "tuned")  # what learned to mend learned it without a chat
    chat = "none" if not own else "all" if untaught else "first"
    sets = {benchmark: problems.get(form, []), "pyx-r": broken if p.refine_tasks else []}
    return {
        (name, source, rule, temperature): refinement.Plan(
            tasks,
            rounds=p.refine_rounds,
            source=source,
            accept=rule,
            temperature=temperature,
            max_new_tokens=min(512, p.codegen_tokens),
            first_tokens=p.codegen_tokens,
            seed=p.seed,
            style=p.style,
            chat=chat,
        )
        for name, tasks in sets.items()
        for source in sources
        for rule in rules
        for temperature in temperatures
        if tasks
        and (model.label != "traced" or source == "trace")  # it was trained to be shown one
    }


# %% [markdown]
# All of a model's plans go side by side, because a small model writes a full batch as fast as one
# text. Completions are kept one by one, so a loop that was killed goes on where it was. What is
# kept of a task after a round is its **state**: right or wrong by the hidden tests, how it failed,
# whether the model was asked, and whether its answer was taken.
#
# *With the profile `workshop`: about 40 seconds.*


# %%
def refine(model, plans, cache, box):
    """Every task's state after every round of every plan, as rows."""
    with model.engine(cache) as engine:
        curves = refinement.refine_all(list(plans.values()), engine, box)
    return [
        {"tasks": name, "model": model.label, "source": source, "accept": rule,
         "temperature": temperature, **row}
        for (name, source, rule, temperature), curve in zip(plans, curves, strict=True)
        for row in curve.state_rows()
    ]  # fmt: skip


# %%
curves = {}
for model in models:
    states = run.step(
        f"rounds_{model.label}.jsonl",
        refine,
        model,
        plans_of(model),
        cache=run.path(f"cache_generations_{model.label}.jsonl"),
        box=run.box,
    )
    curves |= refinement.curves_of(states)
print(len(curves), "curves")

# %% [markdown]
# ## The curves
# pass@1 after every round, with 95 % intervals over tasks; round 0 is the first solution. That of
# the given faults (`pyx-r`) begins at 0, since every program is broken. An `oracle` curve that
# rises while the `public` one is flat says that the hidden tests did the work. Lines lie a little
# beside each other, so that equal ones can be told apart.


# %%
def name_of(curve, title):
    """A curve's label in the figure."""
    better = ", keep the better" if curve.accept == "keep_better" else ""
    warm = f", T = {curve.temperature:g}" if curve.temperature else ""
    return f"{title}, {curve.source}{better}{warm}"


rows, changes = [], []
for (name, label, *_), curve in curves.items():
    row = {**curve.row(), "benchmark": name, "model": label}
    common = {k: row[k] for k in ("benchmark", "model", "source", "accept", "temperature")}
    changes += [common | change for change in row.pop("changes")]
    rows.append({**row, "label": name_of(curve, name)})

# %%
from semcoder_lib.report import figures

display.figure(figures.refinement_curves(rows)) if rows else print("refine_tasks is 0: no curves")

# %% [markdown]
# The same as numbers.

# %%
display.table(
    [{"model": c["model"], "curve": c["label"], **point} for c in rows for point in c["points"]]
)

# %% [markdown]
# ## What was mended, what was broken
# A pass@1 that stands still can hide a loop that mends three programs and breaks three. `asked`
# counts the tasks of which a visible check failed, `changed` those whose answer was taken; `fixed`
# and `broken` are tasks that changed sides by the hidden tests. With `public`, a program that is
# wrong but passes its examples is never asked about: compare `asked` with the number of wrong
# programs.

# %%
display.table(changes)

# %% [markdown]
# ## Between the models
# After the last round, on the same tasks: base against tuned, tuned against refined, refined
# against traced. The paired difference and its interval are what to believe (notebook 05 says why).
# On `pyx-r` all begin at 0, so the difference is one in mending. On a benchmark part of it may be a
# difference of the first solutions: look at round 0 above.

# %%
from dataclasses import asdict

from semcoder_lib.evaluation import scoring

EARLIER = {"tuned": "base", "refined": "tuned", "traced": "refined"}
differences = []
for (name, label, source, rule, temperature), curve in curves.items():
    before = curves.get((name, EARLIER.get(label, ""), source, rule, temperature))
    if before is not None:
        both = before.passed(-1), curve.passed(-1)
        row = {"benchmark": name, "source": source, "accept": rule, "temperature": temperature}
        row |= {"from": EARLIER[label], "to": label, **asdict(scoring.paired_difference(*both))}
        differences.append({**row, "p_mcnemar": scoring.mcnemar(*both).p_value})
display.table(differences)

# %% [markdown]
# ## How the failing ones fail
# Wrong value, exception, no program, no end: each calls for another remedy. An exception names
# itself in a run, a value that is off by one has to be simulated to be seen. `count` is how many
# failed in this way after a round (by the first hidden check that fails), `mended` how many of them
# the next round put right. Which kind does the model mend most often, and which never?

# %%
atlas = [
    {"benchmark": name, **row, "model": label}
    for (name, label, *_), curve in curves.items()
    for row in refinement.atlas(curve)
]
display.table(atlas)

# %% [markdown] tags=["exercise"]
# ## Exercise 1: take it, or keep the old one?
# Write the careful rule. The model offers a program. You know how many of the visible checks the
# old one passes and how many the new one, or `None` where the model offered no program at all.


# %% tags=["solution"]
def takes(before, after):
    """Return True if more visible checks pass `after` than `before`; both are numbers of checks,
    `after` is None where there is no new program."""
    return after is not None and after > before


# %% tags=["check"]
from semcoder_lib.run import check

check.e08_1(takes)

# %% [markdown] tags=["instructor"]
# Five minutes. Most take a program that passes as many, "since it may be better". Ask what it may
# be instead. Say: the paper's rule takes everything, so a right program can be lost.

# %% [markdown] tags=["exercise"]
# ## Exercise 2: break what was right
# The careful rule can be fooled. This program wants to be the widest gap between two neighbours:
#
# ```python
# def widest_gap(row):
#     return max(b - a for a, b in zip(row, row[1:]))
# ```
#
# Visible are `widest_gap([1, 4, 9]) == 5`, which passes, and `widest_gap([9, 2, 3]) == 7`, which
# does not. Play a bad model: write a repair that passes both, and fails hidden checks that the old
# program passed.


# %% tags=["solution"]
def widest_gap(row):
    """Return what the visible checks want to see, and nothing that is right elsewhere."""
    return 5 if row == [1, 4, 9] else 7


# %% tags=["check"]
from semcoder_lib.run import check

check.e08_2(widest_gap)

# %% [markdown] tags=["instructor"]
# Five minutes. Then write the honest repair (`abs(b - a)`): the check says that it breaks nothing.
# Say: a pass on visible tests is no proof, so the curve is drawn from hidden ones.

# %% [markdown]
# ## Things to try
# - **Keep the better one.** `settings = "refine_accept=replace,keep_better"`: in "What was mended",
#   does `keep_better` break fewer, and does it mend fewer, too?
# - **Its own tests.** Add `self` to `refine_sources`. A wrong test asks for a wrong repair: compare
#   `broken` with that of `public`.
# - **One more round.** Raise `refine_rounds`. Finished rounds are taken from the cache. After which
#   round does a greedy model only repeat itself (`changed` without `fixed` or `broken`)?

# %% [markdown]
# ## The card
# The numbers go into `results.json`, from which the report makes tables 3 and 4 and figure 3.

# %%
results = {
    "curves": rows,
    "changes": changes,
    "atlas": atlas,
    "missing": missing,
    "differences": differences,
}
run.finish(results)
