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

session = stages.begin(2, profile, run_name, settings)
print(doctor.show(doctor.examine(quick=True)))
display.table([{"key": k, "value": v, "meaning": m} for k, v, m in session.settings()])

# %% [markdown]
# # 02 · Monologues, both ways, every claim checked
# Accepted monologues with wrong steps are the first limitation that the paper states: its
# filter looks at the final answer only. Here a monologue is derived from the recorded execution and
# then read back by an independent verifier, claim by claim. What is contradicted is dropped with its
# reason.

# %%
results = stages.work(session)
for direction, part in results["directions"].items():
    print(direction, "accepted:", part["accepted"], "characters:", part["characters"])

# %%
display.counts(results["directions"]["forward"]["funnel"], "forward", "monologues")

# %%
display.counts(results["directions"]["backward"]["funnel"], "backward", "monologues")

# %%
if "teacher" in results:
    display.counts(results["teacher"], "teacher", "count")

# %% [markdown]
# ## One program, told forwards and backwards
# Every coloured span is a claim; hovering shows the evidence in the trace.

# %%
from semcoder_lib import corpus as pyx
from semcoder_lib import monologues
from semcoder_lib.run.stages import s02_monologues

corpus = pyx.load(session.upstream(1) / "pyx.jsonl")
entries = {e.program.id: e for e in corpus}
forward = s02_monologues.load(session.folder, "forward")
backward = {m.program_id: m for m in s02_monologues.load(session.folder, "backward")}
both = [m for m in forward if m.program_id in backward]
chosen = min(both, key=lambda m: abs(len(m.text) - 800))
program = entries[chosen.program_id].program
display.code(program.source)

# %%
report = monologues.verify(chosen.text, program, chosen.case, session.box)
display.marked(chosen.text, report.claims)

# %%
other = backward[chosen.program_id]
report = monologues.verify(other.text, program, other.case, session.box, direction="backward")
display.marked(other.text, report.claims)

# %% [markdown]
# ## Can the verifier be fooled?
# One word or number of a correct text is altered, blindly: the alteration knows nothing of the forms
# that the verifier reads. An altered text should be contradicted, or at least have something in it
# that counts as unverifiable. What passes unnoticed changes no meaning, like two assignments told
# in the other order; look at the list.

# %%
import random
import re

rng = random.Random(session.profile.seed)


def altered(text):
    """The text with one word or number exchanged for another, before its answer."""
    words = list(re.finditer(r"[A-Za-z_]+|\d+", text[: text.index("[/MONOLOGUE]")]))
    word, other = rng.choice(words), rng.choice(words)[0]
    new = str(int(word[0]) + 1) if word[0].isdigit() else other
    return text[: word.start()] + new + text[word.end() :]


# %%
matrix = {"untouched": {}, "altered": {}}
for m in forward[:40]:
    own = entries[m.program_id].program
    for name, text in (("untouched", m.text), ("altered", altered(m.text))):
        if name == "altered" and text == m.text:
            continue
        report = monologues.verify(text, own, m.case, session.box, direction="forward")
        outcome = (
            "contradicted" if not report.accepted else "unread" if report.unverifiable else "clean"
        )
        matrix[name][outcome] = matrix[name].get(outcome, 0) + 1
display.table([{"text": name, **counts} for name, counts in matrix.items()])

# %% [markdown]
# ## Lengths
# The released checkpoints write 2,271 characters forwards and 1,963 backwards on average. A small
# model needs shorter texts; the dial is `monologue_chars`.

# %%
display.table([{"direction": d, **part["characters"]} for d, part in results["directions"].items()])

# %% [markdown]
# ## The card
# What went in, what came out, on what: the next notebook reuses this stage only while all of it
# stays the same.

# %%
card = session.finish()
display.counts({k: card[k] for k in ("key", "seconds", "peak_memory_bytes", "isolation")})
