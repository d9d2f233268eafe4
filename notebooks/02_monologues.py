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
# # 02 · Monologues, both ways, every claim checked
#
# A **monologue** tells an execution in words. *Forwards* it starts from an input and simulates the
# program step by step; *backwards* it starts from an output and deduces an input that could have
# given it (paper, section 4). They are what the model is trained on.
#
# The paper lets a large model write them and keeps those whose final answer is right. A right
# answer can stand behind wrong steps: that is the first limitation the authors name (appendix A).
# Here a monologue is *derived* from a recorded execution, and then a **verifier** reads it back,
# claim by claim. It uses nothing of the writer, so that a mistake of one does not hide in the
# other; common to both are only the list of sentence forms and a small evaluator of expressions.
#
# You will see one program told both ways with its claims in colour, a lie that is caught, a
# sentence that the verifier cannot decide, and then all the monologues of the run.
#
# ```text
# program + input  → record → write forwards  → verify ┐
#                                                      ├→ keep, or drop with the reason
# program + output → deduce → write backwards → verify ┘
# ```

# %% tags=["parameters"]
profile = "smoke"  # a name in profiles/; papermill puts the run's own here
run_name = ""  # the folder under runs/; the profile's name when empty
settings = ""  # "key=value key=value": overrides of the profile

# %%
from semcoder_lib import begin

run = begin("02_monologues", profile, run_name, settings)
p = run.profile

# %% [markdown]
# ## The programs
# Monologues are about programs of PyX, the corpus of notebook 01. Only those of the split `train`
# may be told: what is told here is learned, and the split `held_out` is for the evaluation. Long
# programs are left out, since their monologues would be too long for the model: the limit is half
# of `monologue_chars`, the longest monologue that is kept.

# %%
corpus = run.kept("01_pyx/pyx.jsonl")[0]
train = [entry for entry in corpus if entry.program.split == "train"]
short = [entry for entry in train if len(entry.program.source) <= p.program_chars]
training = run.need(short[: p.monologue_programs], "programs to tell")
print(len(corpus), "programs in PyX,", len(training), "to tell")

# %% [markdown]
# One of them, to follow by hand: with a loop, and neither long nor short. A **case** is an input
# with the output that it gave. Simulate this one yourself before you read on.

# %%
from semcoder_lib import monologues
from semcoder_lib.report import display

looping = [e for e in training if "for " in e.program.source] or training
entry = min(looping, key=lambda e: abs(len(e.program.source) - 200))
program, case = entry.program, entry.cases[0]
print(monologues.call_text(program, case), "gives", repr(case.output))
display.code(program.source)

# %% [markdown]
# ## Record what happens
# The tracer runs the program in the sandbox and notes each line as it is executed, with the
# variables that it changed. This **trace** is the ground truth: it and the program's text are all
# that the writer of a simulation looks at. Note what is *not* in it: the values inside an
# expression, such as `j % 2` in a condition. The writer has to work these out from the state before
# the line.

# %%
from semcoder_lib import tracing

trace = tracing.trace(program, case, run.box)
display.steps(trace)

# %% [markdown]
# ## Tell it forwards
# The writer turns the steps into sentences. Their forms stand in one table,
# `semcoder_lib/monologues/forms.txt`: a name, a template with typed slots, an example. The **style**
# says how much is told. `monologue_form` of the profile picks one: `full` has all the sections of
# the paper's figure 2; `brief`, `terse` and `dense` have the steps alone, which a small model
# learns faster. Where a text would be longer than `monologue_chars`, rounds of a loop are told
# together, or passed over with a sentence that says so.
#
# Look for three kinds of sentences: how a condition comes out and which line follows from it
# ("so [L5]"), what a line changes, and how a value is worked out in small pieces.

# %%
style = monologues.STYLES[p.monologue_form].but(max_chars=p.monologue_chars)
forward = monologues.forward(program, trace, style=style, case=case)
print(forward.text)

# %% [markdown]
# ## Read it back
# The verifier gets the text, the program and the case, and records the execution anew. It splits
# the text into **claims**: a value, a truth, which line comes next, the answer. Each is
# **supported** or **contradicted** by the record, by the verifier's own evaluation of an
# expression, or by a run in the sandbox; what it cannot read or decide is **unverifiable**, and is
# counted. Nothing is skipped. Hover over a colour to see the evidence.

# %%
report = monologues.verify(forward.text, program, case, run.box)
display.marked(forward.text, report.claims)

# %% [markdown]
# The same in numbers. A text is **accepted** when its answer is right, no claim is contradicted,
# and most of the executed lines are told: a text that tells nothing would contain no lie, either.

# %%
display.report(report)

# %% [markdown]
# ## Tell a lie
# Change one number in the middle of the simulation and nothing else. The answer at the end is still
# right, so a filter on answers would keep the text. The verifier has to find the place.

# %%
import re

steps = forward.text.partition("[/MONOLOGUE]")[0]
numbers = list(re.finditer(r"(?<!\[L)(?<![\w.])\d+\b", steps)) or list(re.finditer(r"\d+", steps))
number = numbers[len(numbers) // 2]
lie = f"{forward.text[: number.start()]}{int(number[0]) + 1}{forward.text[number.end() :]}"
lie_report = monologues.verify(lie, program, case, run.box)
print("answer right:", lie_report.answer_right, "· accepted:", lie_report.accepted)
display.marked(lie, lie_report.claims)

# %% [markdown]
# And a sentence that says nothing about the execution. It is neither right nor wrong: it would stay
# grey, is counted, and lowers the share of the steps' text that was decided. The text is still
# accepted, since nothing in it is false. Of our own texts more is asked: they may not contain any
# such sentence. A model's may, and then we know how much of it was *not* checked.

# %%
end = "### Conclusion" if "### Conclusion" in forward.text else "[/MONOLOGUE]"
vague = forward.text.replace(end, f"This is a very elegant program.\n{end}", 1)
display.report(monologues.verify(vague, program, case, run.box))

# %% [markdown]
# ## Tell it backwards
# Now only the output is given. The writer walks from the return statement back towards the
# parameters and undoes one statement after the other. Where the state before a line is not
# determined by the state after it, as with `len` or `sorted`, it states what must hold. Loops are
# not undone: from there on it searches, by running candidates and mutating those whose output comes
# near. **The writer never sees the input that really gave this output**, so several inputs can be
# right, and some outputs find none.
#
# In the text look for the line that begins with "Choose": here the deduction ends and one of the
# possible inputs is picked. "Check" simulates it forwards, as a proof.

# %%
backward = monologues.backward(program, case.output, run.box, seed=p.seed, style=style)
if backward is None:
    print("no input was found: such a case gets no backward monologue")
else:
    print(backward.text)

# %% [markdown]
# The verifier reads this text, too. It runs the input of the answer and compares the output; what
# the deduction says *must* hold is decided on that run; other inputs that the text names are run as
# well.

# %%
marked = None
if backward is not None:
    report = monologues.verify(backward.text, program, backward.case, run.box, direction="backward")
    marked = display.marked(backward.text, report.claims)
marked

# %% [markdown]
# ## All of them
# The same for every program: up to two cases each, those with different outputs first. One thing is
# added: in the forms with sections each text states two **properties**, sentences of what always
# holds, as in the tour. They are inferred once for each program, and only those stay that the
# verifier does not refute on inputs of its own.
#
# A text is dropped, with its reason, when the trace was cut, when it would be too long, when no
# input was found, or when the verifier contradicts it or cannot read all of it. The step is kept in
# a file: run the cell again and it is read back; change a setting and it is done again.

# %%
CASES = 2  # of a program that get monologues
BULLETS = 0 if style.brief else 2  # properties that each monologue states

kept, funnels = {}, {}
for direction in monologues.DIRECTIONS:
    kept[direction], funnel = run.step(
        f"{direction}.jsonl",
        monologues.derive_many,
        training,
        directions=(direction,),
        per_program=CASES,
        style=style,
        bullets=BULLETS,
        seed=p.seed,
        box=run.box,
        workers=run.workers,
    )
    funnels[direction] = funnel[direction]

# %% [markdown]
# ## The funnel
# How many were asked for, how many were accepted, and why the others were not; `claims` counts
# those of the accepted texts. Read the reasons: a filter whose losses nobody looks at shapes the
# corpus in secret. As a rule long executions are lost first ("longer than max_chars"). A reason
# that begins with "verifier" is a text of ours that the verifier did not let pass.

# %%
display.counts(funnels["forward"], "forward", "monologues")

# %% [markdown]
# Backwards more is lost. "no input found" are outputs that neither deduction nor search could
# reach.

# %%
display.counts(funnels["backward"], "backward", "monologues")

# %% [markdown]
# ## With a teacher
# The paper's own way is here, too: with the setting `teacher` a large model writes the monologues
# of some programs, and is asked again where the verifier contradicts it, four times in all. Accepted
# texts of the teacher take the place of the derived ones. Without that setting this cell does
# nothing.

# %%
teacher_counts = {}
if p.teacher:
    from semcoder_lib.run import teaching

    kept, teacher_counts = teaching.monologues_of_teacher(
        run, training, kept, cases=CASES, longest=p.monologue_chars
    )
display.counts(teacher_counts, "teacher", "count")

# %% [markdown]
# ## Can the verifier be fooled?
# The lie above was one number. Here one word or number of many accepted texts is altered *blindly*:
# the alteration knows nothing of the forms that the verifier reads. An altered text should be
# contradicted, or at least have something in it that counts as unverifiable ("unread").

# %%
import random

rng = random.Random(p.seed)


def altered(text):
    """The text with one word or number before its answer exchanged for another."""
    words = list(re.finditer(r"[A-Za-z_]+|\d+", text[: text.index("[/MONOLOGUE]")]))
    word, other = rng.choice(words), rng.choice(words)[0]
    new = str(int(word[0]) + 1) if word[0].isdigit() else other
    return text[: word.start()] + new + text[word.end() :]


# %% [markdown]
# Forty texts, untouched and altered. The row "altered" should have (nearly) nothing under "clean";
# what is there changes no meaning, like two assignments told in the other order. The row
# "untouched" is the other half of the test: a verifier that rejects everything catches every lie. A
# text that is "unread" there states, as a rule, a property that one case alone cannot decide.

# %%
programs = {entry.program.id: entry.program for entry in training}


def verdict(text, monologue):
    """What a reader of the text would be told."""
    program = programs[monologue.program_id]
    report = monologues.verify(text, program, monologue.case, run.box, direction="forward")
    return "contradicted" if not report.accepted else "unread" if report.unverifiable else "clean"


pairs = [(altered(m.text), m) for m in kept["forward"][:40]]
rows = {
    "untouched": [verdict(m.text, m) for _, m in pairs],
    "altered": [verdict(text, m) for text, m in pairs if text != m.text],
}
verdicts = ("clean", "unread", "contradicted")
display.table([{"text": k, **{v: given.count(v) for v in verdicts}} for k, given in rows.items()])

# %% [markdown]
# ## How long they are
# The released checkpoints write 2,271 characters forwards and 1,963 backwards on average. A small
# model needs shorter texts: it reads less at a time, and each further step is one more to get
# wrong. The dials are `monologue_form` and `monologue_chars`.

# %%
import statistics


def lengths(texts):
    """Mean, median and longest, in characters."""
    sizes = sorted(map(len, texts)) or [0]
    return {
        "mean": round(statistics.fmean(sizes), 1),
        "median": statistics.median(sizes),
        "longest": sizes[-1],
    }


characters = {d: lengths([m.text for m in accepted]) for d, accepted in kept.items()}
display.table([{"direction": d, "texts": len(kept[d]), **c} for d, c in characters.items()])

# %% [markdown] tags=["exercise"]
# ## Exercise 1: a lie with the right answer
# Be the model that guesses well. Run the check once and print `check.monologue()`, then write a
# function that makes one of its steps wrong and leaves its answer right. The paper's filter would
# keep your text.


# %% tags=["solution"]
def with_a_lie(text):
    """Return the monologue with one step made wrong; the answer after [ANSWER] stays right."""
    return text.replace("place = 2", "place = 7", 1)


# %% tags=["check"]
from semcoder_lib.run import check

check.e02_1(with_a_lie)

# %% [markdown] tags=["instructor"]
# Five minutes. Whoever replaces every `0` or `1` breaks the answer, too. Ask who has the most claims
# contradicted by one changed character. Say: filtering on answers is blind to this.

# %% [markdown] tags=["exercise"]
# ## Exercise 2: a sentence that the verifier cannot decide
# Now the opposite: one sentence about this execution that is neither supported nor contradicted,
# because it says nothing definite, or because it is in words that the verifier has no form for: a
# true one counts as unverifiable, too, never as true. It is put after the last step, where what
# names an earlier line is out of order. Then ask yourself what a model learns from a thousand vague
# ones.

# %% tags=["solution"]
vague_sentence = "The loop does its work with great care."

# %% tags=["check"]
from semcoder_lib.run import check

check.e02_2(vague_sentence)

# %% [markdown] tags=["instructor"]
# Five minutes. "The loop runs three times." is read and supported, "four" is contradicted. Say:
# "nothing is contradicted" is no praise; look at how much of a text was decided.

# %% [markdown]
# ## Things to try
# - **A claim that is wrong in another way.** In "Tell a lie", exchange two variable names of the
#   text instead of a number. Which claim turns red, and what does its evidence say?
# - **Another form.** Set `settings = "monologue_form=terse"` in the first cell (or `full`, if the
#   profile has `terse`) and run all cells: the steps are done again, and a line says why. Which
#   sections come or go, how many texts fit into `monologue_chars` now, and how long are they?
# - **A program of your own.** Under "The programs", write `from semcoder_lib.core import records`,
#   then `program = records.Program(source, "name")` and `case = records.Case((argument,), output)`,
#   and run the cells from "Record what happens" to "Tell it backwards". Try one with two inputs
#   that give the same output: which one does the backward monologue find?

# %% [markdown]
# ## The card
# What the next notebooks take from here is in the files of this folder; `hub.jsonl` has programs
# and monologues in the columns of the authors' PyX. The numbers go into `results.json`, from which
# the report is made. The card says what all of it depends on.

# %%
from semcoder_lib import corpus as pyx
from semcoder_lib.core import workspace

texts = kept["forward"] + kept["backward"]
rows = [*pyx.to_hub(training), *monologues.to_hub(texts, programs)]
workspace.write_jsonl(run.path("hub.jsonl"), rows)
results = {
    "programs": len(training),
    "directions": {
        direction: {
            "funnel": funnels[direction],
            "accepted": len(kept[direction]),
            "characters": characters[direction],
        }
        for direction in monologues.DIRECTIONS
    },
    **({"teacher": teacher_counts} if teacher_counts else {}),
}
run.finish(results)
