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
# # 00 · A tour: one small program, all the way
#
# A code language model reads programs as text. SemCoder (Ding et al., NeurIPS 2024) teaches it what
# programs *do*. It is trained on **monologues**: executions told in words, forwards from an input
# or backwards from an output.
#
# ```text
# program → run it → record each step → tell it in words → check every claim → train on the text
#           sandbox   trace              monologue          verifier            row
# ```
#
# This notebook takes a program of six lines through all of these steps. You will step through its
# execution, read it told both ways, tell a lie about it and see the lie caught, and end with the
# very text that a model is trained on. It takes less than a minute. Nothing here is asserted that
# was not executed. The other notebooks do the same for thousands of programs.

# %% tags=["parameters"]
profile = "smoke"  # a name in profiles/; papermill puts the run's own here
run_name = ""  # the folder under runs/; the profile's name when empty
settings = ""  # "key=value key=value": overrides of the profile

# %% [markdown]
# Every notebook begins like this. A **profile** is a list of settings, such as how many programs or
# how many training steps. `run` holds the folder that the results go to, and the sandbox
# (`run.box`); `p` holds the settings: `p.seed` is the seed from which all that is random is drawn.

# %%
from semcoder_lib import begin

run = begin("00_tour", profile, run_name, settings)
p = run.profile

# %% [markdown]
# ## Is this machine ready?
# What the notebooks need. A line that begins with `warn` can wait; one with `FAIL` says what to do.
# `python -m semcoder_lib doctor` says the same.

# %%
from semcoder_lib.run import doctor

print(doctor.show(doctor.examine()))

# %% [markdown]
# ## The program
# What does it do? Say it in one sentence, before you run anything. Then say what it returns for
# `["b", "a", "b", "c"]`. You have just used three kinds of knowledge about a program: its purpose,
# its rules, and its execution. They come back at the end, as the paper's first figure.

# %%
from semcoder_lib.core import records, values
from semcoder_lib.report import display

SOURCE = """\
def first_positions(items):
    seen = {}
    for place, item in enumerate(items):
        if item not in seen:
            seen[item] = place
    return sorted(seen.values())
"""
program = records.Program(SOURCE, "first_positions", id="tour")
display.code(program.source)

# %% [markdown]
# ## Run it
# Programs of strangers run in a **sandbox**: a process of its own without network and without
# access to your files, with limits on time and memory. Which layers hold on this machine is in the
# card at the end. Was your answer right?

# %%
arguments = (["b", "a", "b", "c"],)
call = values.show_call(program.entry_point, arguments)
outcome = run.box.call(program.source, program.entry_point, arguments)
case = records.Case(arguments, outcome.value)
print(call, "==", outcome.text)

# %% [markdown]
# ## Record each step
# The same call once more, while a tracer notes every line and every variable that the line changed.
# This record is called a **trace**. It is the ground truth for all that follows: what is said of
# the execution later is either in this table, or it is wrong.

# %%
from semcoder_lib import tracing

trace = tracing.trace(program, case, run.box)
display.steps(trace, limit=16)

# %% [markdown]
# The same trace to step through. Move the slider: the line that was just executed is marked, and
# what it changed lights up. Watch `seen` when `'b'` comes for the second time.

# %%
from semcoder_lib.tracing import viewer

viewer.show(program, arguments, run.box)

# %% [markdown]
# ## What always holds
# One run says what happened once. What holds *every* time is looked for on many inputs: four are
# given here, the others are **mutations** of them, which means: changed a little. Each property
# comes from a list of kinds ("is sorted", "never repeats an item"). It counts only if it held on
# every input that says something about it. That is evidence, not a proof. Which of these would you
# have named, and which one of yours is missing?

# %%
from semcoder_lib import monologues

other_inputs = (["x", "x"],), ([],), (["p", "q", "r"],)
cases = [case]
for other in other_inputs:
    other_outcome = run.box.call(program.source, program.entry_point, other)
    cases.append(records.Case(other, other_outcome.value))
properties = monologues.infer(program, cases, run.box)
display.fields(properties, property="text", inputs_on_which_it_held="support")

# %% [markdown]
# ## Tell it forwards
# A **forward monologue** simulates the call in the order of execution: what the function is for,
# what always holds, each step with its values, the result. In the paper a large model writes it.
# Here it is *derived*: filled into fixed forms of sentences from the trace, the program's text and
# the properties, so it can say nothing that did not happen. `[L3]` is line 3.
# Find the sentence for the moment at which `'b'` comes for the second time.

# %%
style = monologues.Style(properties=properties[:3])
forward = monologues.forward(program, trace, style=style)
print(forward.text)

# %% [markdown]
# ## Check every claim
# A second program, the **verifier**, reads the text back. It uses nothing of the writer; common to
# both are only the list of sentence forms and a small evaluator of expressions. Each claim in the
# text is compared with the recorded execution: green is supported, red contradicted, grey is what
# the verifier cannot decide. Hover over a claim to see its evidence. The table counts the claims,
# and says what share of the text about the steps was decided at all: a text with nothing red but
# much grey has not been checked.

# %%
report = monologues.verify(forward.text, program, case, run.box)
display.marked(forward.text, report.claims)

# %%
display.report(report)

# %% [markdown]
# ## Tell a lie
# One number in the middle is changed. The answer at the end is still right. The paper keeps a text
# when its answer is right, so it would keep this one, and a model would learn a wrong step. Find
# the lie before you look for the red.

# %%
lie = forward.text.replace("place = 2", "place = 7", 1)
lie_report = monologues.verify(lie, program, case, run.box)
print("answer right:", lie_report.answer_right, "· accepted:", lie_report.accepted)
print("reason:", lie_report.reason, "(in brackets what the execution says)")
display.marked(lie, lie_report.claims)

# %% [markdown]
# ## Tell it backwards
# A **backward monologue** starts from the output and deduces an input that gives it. Often many
# inputs do. Then the text says what must hold of them, picks one, and a run confirms it. A return
# can be undone, a loop cannot: there the writer says what must hold after the loop, and *searches*
# for an input from other inputs (`seeds`) and mutations of them. It never sees the input that
# really made the output: it arrives at numbers where we had letters, and that is just as right.
# This way round is harder, for a model and for a person: try to find an input for the output
# `[0, 2]` before you read on.

# %%
backward = monologues.backward(program, case.output, run.box, seeds=other_inputs, seed=p.seed)
shown = display.code("no input was found: such a call gets no backward monologue")
if backward:
    report_backward = monologues.verify(
        backward.text, program, backward.case, run.box, direction="backward"
    )
    shown = display.marked(backward.text, report_backward.claims)
shown

# %% [markdown]
# ## What a model is trained on
# A row of the training set is a **prompt** and the text that the model learns to continue it with.
# On the right the monologue is told in the form that this profile trains on (`monologue_form`,
# `monologue_chars`), which is shorter for a small model: compare it with the text above, and see
# what was left out, or told of several rounds of the loop at once. In the evaluation the prompt is
# built by the same function, so training and evaluation ask with the same bytes. The answer comes
# last, after the steps that lead to it.

# %%
from semcoder_lib.models import prompts

training_style = monologues.STYLES[p.monologue_form].but(max_chars=p.monologue_chars)
trained_text = monologues.forward(program, trace, style=training_style)
example = {
    "prompt": prompts.forward(program.source, call, style=p.style).text,
    "completion": trained_text.text,
}
display.side_by_side(display.code(example["prompt"]), display.code(example["completion"]))

# %% [markdown]
# ## Four kinds of semantics
# The paper's first figure, drawn from this program's own record. *Symbolic* is the text of the
# program: all that a language model usually sees. The other three are what SemCoder adds:
# *approximate*, the purpose in words; *operational*, the steps; *abstract*, what always holds.

# %%
from semcoder_lib.report import figures

changes = [
    f"L{step.line}: " + ", ".join(f"{c.name} = {c.text}" for c in step.changes if c.text)
    for step in trace.steps
    if step.event == "line" and step.changes
]
kinds = [
    ["Approximate semantics: what it is for",
     "The positions at which a value occurs for the first time, in order."],
    ["Operational semantics: what it does",
     "\n".join([call, *changes[:8], f"returns {outcome.text}"])],
    ["Abstract semantics: what always holds", "\n".join(f"- {prop.text}" for prop in properties[:3])],
]  # fmt: skip
display.figure(figures.semantics(program.source, dict(kinds)))

# %% [markdown]
# ## The model
# The later notebooks train and ask this model. It is looked up now, so that a download that has to
# happen happens here.

# %%
from semcoder_lib.models import assets

assets.locate(p.model)
print(assets.shown_name(p.model), "is at hand")

# %% [markdown]
# ## Where it goes on
# | Notebook | What it does with thousands of programs |
# |---|---|
# | 01 | collects programs that run: the corpus PyX |
# | 02 | tells them both ways and verifies every text |
# | 03 | breaks programs and explains the failure: PyX-R |
# | 04 | trains the model on all of it |
# | 05, 06 | asks the model to write code, and to follow an execution |
# | 07 | compares monologues with other ways to write an execution down |
# | 08 | lets the model mend its own answers |
# | 09 | sets the paper's tables beside ours |

# %% [markdown] tags=["exercise"]
# ## Exercise 1: the next three steps
# Simulate before you look, as the model has to. `first_positions(["b", "a", "b"])` is running, and
# line 5 has just put `'a'` into `seen`. Which three lines run next, and which variables does each
# of them change? Write them as `(line, {variable: value})`, with `{}` where nothing changes.

# %% tags=["solution"]
next_steps = [(3, {"place": 2, "item": "b"}), (4, {}), (3, {})]

# %% tags=["check"]
from semcoder_lib.run import check

check.e00_1(next_steps)

# %% [markdown] tags=["instructor"]
# Five minutes. Most forget the last visit to line 3, at which the loop finds no more items. Say: a
# trace has no gaps, and a model that skips a step guesses the rest.

# %% [markdown] tags=["exercise"]
# ## Exercise 2: the other way round
# Deduce an input from an output: six items for which `first_positions` returns `[0, 2, 3]`. Begin
# with what must hold of the items at the places 1, 4 and 5. The check asks a run, not a key.

# %% tags=["solution"]
six_items = ["x", "x", "y", "z", "y", "x"]

# %% tags=["check"]
from semcoder_lib.run import check

check.e00_2(six_items)

# %% [markdown] tags=["instructor"]
# Five minutes. Whoever puts something new at the places 4 or 5 gets these back. Collect three answers
# on the board: all differ, all are right. Say: so a backward answer can only be judged by running
# it, and the text has to say what *must* hold.

# %% [markdown]
# ## All settings
# What this profile says of each, and what it means. `settings` in the first cell changes one, and
# so does `--set key=value` of a run; the line below the second cell says which were changed.

# %%
display.table(
    [
        {"setting": name, "value": getattr(run.configuration, name), "meaning": field.description}
        for name, field in type(run.configuration).model_fields.items()
    ]
)

# %% [markdown]
# ## Things to try
# - **Another lie.** In "Tell a lie", swap `'a'` for `'c'` in one step, or replace `True` by
#   `False`. Which claim turns red? Then write a sentence that is true but vague, such as "The loop
#   does its work.": it stays grey, because nobody can check it.
# - **Another input.** Change `arguments` in "Run it" to `([3, 1, 3],)` and run the cells below it.
#   The table, the words and the colours follow, since all of them come from the same record.
# - **A program of your own.** Put a function of a few lines into `SOURCE`, its name into `program`,
#   and fitting values into `arguments` and `other_inputs`; put a number of its text into the lie.
#   Write one that throws information away, such as `len(items) % 2`: which input does the backward
#   monologue choose?

# %% [markdown]
# ## The card
# Each notebook ends with its card: what went in, what came out, on what machine, in what sandbox.
# The next notebook uses these results only as long as the card still holds.

# %%
measures = ("supported", "contradicted", "unverifiable", "line_coverage", "accepted")
results = {
    "model": assets.shown_name(p.model),
    "semantics": {"source": program.source, "kinds": kinds},
    "monologues": {"forward": forward.text, "backward": backward.text if backward else ""},
    "verification": {name: getattr(report, name) for name in measures},
    "example": example,
}
run.finish(results)
