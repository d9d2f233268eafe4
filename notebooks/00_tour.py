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

session = stages.begin(0, profile, run_name, settings)
print(doctor.show(doctor.examine(quick=True)))
display.table([{"key": k, "value": v, "meaning": m} for k, v, m in session.settings()])

# %% [markdown]
# # 00 · A tour
# A code language model reads programs as text. SemCoder (Ding et al., NeurIPS 2024) teaches it what
# programs *do*: it is trained on **monologues**, in which an execution is told in words, forwards
# from an input or backwards from an output. This notebook follows one small program all the way, from
# its source to the training example that comes out of it. Nothing here is asserted that was not
# executed.

# %%
results = stages.work(session)
display.code(results["source"])

# %% [markdown]
# ## Run it, and watch
# The program runs in the sandbox (its level is in the card below) while a tracer records each line and
# every local that the line changed. That record is the ground truth for all that follows.

# %%
print(results["call"], "==", results["output"])
display.table(
    [
        {
            "step": i,
            "event": step["event"],
            "line": step["line"],
            "changes": ", ".join(f"{c['name']} = {c['text']}" for c in step["changes"]),
        }
        for i, step in enumerate(results["trace"])
    ]
)

# %% [markdown]
# The same trace to step through: the slider moves in time, changed values light up. Edit the program
# or the call and run the cell again.

# %%
from semcoder_lib.core import records
from semcoder_lib.tracing import viewer

source = results["source"]
arguments = (["b", "a", "b", "c"],)
viewer.show(records.Program(source, "first_positions"), arguments, session.box)

# %% [markdown]
# ## Told forwards
# The forward monologue simulates the call in execution order: what the function is for, what always
# holds, each step with its values, the result. It is *derived* from the trace, not written by a
# model, so it is right by construction. The verifier, which shares no code with the writer, reads
# the text back and checks each claim against the record: green is supported.

# %%
from semcoder_lib.core.records import Claim, from_row

told = results["monologues"]
claims = [from_row(Claim, c) for c in told["claims"]]
display.marked(told["forward"], claims)

# %%
display.counts(results["verification"])

# %% [markdown]
# ## Told backwards
# The backward monologue starts from the output and deduces an input that would give it. Where the
# earlier state is not determined, it states a constraint and then picks one witness, which is
# checked by running it. The writer never sees the input that made the output.

# %%
display.code(told["backward"])

# %% [markdown]
# ## A training example
# The prompt, and the text the model learns to continue it with. Evaluation renders the prompt with
# the same function, so the bytes are the same.

# %%
example = results["example"]
display.side_by_side(display.code(example["prompt"]), display.code(example["completion"]))

# %% [markdown]
# ## Four kinds of semantics
# The paper's first figure, drawn from this program's own record.

# %%
semantics = results["semantics"]
display.figure(figures.semantics(semantics["source"], dict(semantics["kinds"])))

# %% [markdown]
# ## The card
# What went in, what came out, on what: the next notebook reuses this stage only while all of it
# stays the same.

# %%
card = session.finish()
display.counts({k: card[k] for k in ("key", "seconds", "peak_memory_bytes", "isolation")})
