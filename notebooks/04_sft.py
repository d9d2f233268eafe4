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
# # 04 · Fine-tuning on all tasks together
#
# Now a model learns. It reads programs with their monologues, in both directions, descriptions with
# their programs, and short answers without reasoning, all **shuffled together**: one model, several
# tasks, told apart by their prompts alone (paper, section 4.3). After it come one or two short
# trainings on PyX-R, the faults of notebook 03 (sections 3.4 and 6.4).
#
# The default model is SmolLM2-135M, fifty times smaller than the paper's, so that a laptop can
# train it. Nothing else is smaller: the loss, the mix, the adapter are as for a large one.
#
# You will see one row as text and as tokens, what TRL and PEFT are given, guard rails that trip,
# the loss as it falls, and one answer of the model before and after.

# %% tags=["parameters"]
profile = "smoke"  # a name in profiles/; papermill puts the run's own here
run_name = ""  # the folder under runs/; the profile's name when empty
settings = ""  # "key=value key=value": overrides of the profile

# %%
from semcoder_lib import begin

run = begin("04_sft", profile, run_name, settings)
p = run.profile

# %% [markdown]
# ## What there is to learn from
# The corpus of notebook 01, the accepted monologues of 02, the faults of 03 of both kinds. Programs
# of the split `held_out` are set aside here, and never trained on.

# %%
from semcoder_lib.run import teaching

corpus = run.kept("01_pyx/pyx.jsonl")[0]
short = [e for e in corpus if len(e.program.source) <= p.program_chars]
entries = [e for e in short if e.program.split == "train"]
programs = {e.program.id: e.program for e in entries}
accepted = teaching.monologues_kept(run)
mutated = run.kept("03_pyx_r/taught.jsonl" if p.teacher else "03_pyx_r/mutation.jsonl")[0]
faults = mutated + run.kept("03_pyx_r/model.jsonl")[0]
counts = {direction: len(texts) for direction, texts in accepted.items()}
print(len(entries), "programs, monologues:", counts, "and", len(faults), "faults")

# %% [markdown]
# ## One row
# A row is a **prompt** and a **completion**. On the left the prompt, which the evaluation will give
# in the very same bytes; on the right what the model is to answer. Only the right side is learned.

# %%
from semcoder_lib.report import display
from semcoder_lib.training import examples

usable = [m for m in accepted["forward"] if m.program_id in programs]
monologue = run.need(usable, "accepted monologues")[0]
row = examples.monologue_example(programs[monologue.program_id], monologue, style=p.style)
display.side_by_side(display.code(row.prompt), display.code(row.completion))

# %% [markdown]
# ## Four kinds of rows
# Forward and backward monologues; a description with its program (*NL-to-code*); and *direct* rows,
# which the paper does not have: a small model learns to answer from many short examples sooner than
# from few long ones. One of the last kind is shown. Its first answer is the one asked for, the
# program's other cases follow at little cost. (Like the monologues, direct rows ask in both
# directions.)

# %%
described = [e.program for e in entries if e.program.description]
pools = {
    **{d: examples.monologue_examples(programs, m, style=p.style) for d, m in accepted.items()},
    "nl_to_code": [examples.nl_example(program, style=p.style) for program in described],
    "direct": examples.direct_examples(entries, seed=p.seed, style=p.style),
}
example = pools["direct"][0]
display.side_by_side(display.code(example.prompt), display.code(example.completion))

# %% [markdown]
# ## Code of its own
# A model that can write code forgets some of it while it learns something else. Programs of the
# corpus do not help: they are another hand's. So a model that has a chat of its own (`chat` among
# `baseline_forms`) is asked for the described programs there, before any training, and those of its
# answers that pass all cases become its rows of code (*rejection sampling*). They are in its own
# words and in the form in which notebook 05 will ask. The default model has no such rows.

# %%
import random
from dataclasses import replace

from semcoder_lib import refinement
from semcoder_lib.evaluation import answers
from semcoder_lib.faults import task_description
from semcoder_lib.models import Request, assets, prompts, tokens
from semcoder_lib.run.models import base_of

OWN_TASKS = 600
base = replace(base_of(p), backend="auto" if p.server else p.backend)
tokenizer = tokens.load_tokenizer(assets.locate(p.model))
tasks = [e for e in entries if e.program.description]
random.Random(f"{p.seed}:own code").shuffle(tasks)
own_tasks = tasks[:OWN_TASKS] if "chat" in p.codegen_forms and p.shares["nl_to_code"] else []

# %%
requests = []
for program in (e.program for e in own_tasks):
    asked = prompts.nl_to_code(task_description(program), style=p.style)
    prompt = prompts.in_chat(asked, tokenizer)
    requests.append(Request(program.id, prompt.text, prompt.stop, p.codegen_tokens))
written = run.step("own_code.jsonl", answers.ask, base, requests, cache=run.path("cache_own.jsonl"))
jobs = [
    (text.text, e.program.entry_point, e.cases, 0.0)
    for e, text in zip(own_tasks, written, strict=True)
]
right = [all(checked.passed) for checked in refinement.run_checks(jobs, run.box)]
if own_tasks:
    pools["nl_to_code"] = [
        examples.Example(f"{r.task_id}:own", "nl_to_code", r.prompt, f"{text.text.rstrip()}\n```")
        for r, text, keep in zip(requests, written, right, strict=True)
        if keep
    ]
    print(sum(right), "of", len(own_tasks), "answers of the model itself are right")

# %% [markdown]
# ## The mix
# `train_mix` says which share of what is learned each kind shall have. Shares are of characters,
# not of rows: a monologue is ten times as long as a direct answer, and it is tokens that carry the
# loss. (Characters stand for tokens here.) The scarcest kind decides how many rows there are in
# all: it is used up, of the others a random part is taken. Which one is it in this run?

# %%
chosen = examples.mixed(pools, p.shares, seed=p.seed)
size = sum(len(e.completion) for e in chosen)
table = []
for kind, pool in pools.items():
    used = [e for e in chosen if e.task == kind]
    share = sum(len(e.completion) for e in used) / size
    table.append(
        {"kind": kind, "rows at hand": len(pool), "rows used": len(used),
         "share wanted": p.shares[kind] / sum(p.shares.values()), "share": share}
    )  # fmt: skip
display.table(table)

# %% [markdown]
# ## Do training and evaluation ask alike?
# A prompt that differs by one blank costs points, and nobody notices: the loss falls as well. So
# some rows of each kind that asks about an execution are compared, byte for byte, with what the
# evaluation of notebook 06 asks about the same programs. The first that differs would stop the
# notebook and show the place.

# %%
from semcoder_lib import training
from semcoder_lib.evaluation import execution

SAMPLE = 8  # rows of a kind
by_id = {e.program.id: e for e in entries}
compared = 0
for kind in ("forward", "backward", "direct"):
    for example in [e for e in chosen if e.task == kind][:SAMPLE]:
        entry = by_id[example.id.rpartition(":")[0]]
        asked = execution.questions(entry, kind, style=p.style)
        training.same_prompt(example, asked)
        compared += 1
print(compared, "prompts are those of the evaluation, byte for byte")

# %% [markdown]
# ## The row as the model sees it
# A model reads numbers. Prompt and completion are cut into tokens apart and joined, and an **end
# token** is put after the completion: whoever forgets it trains a model that never stops. Grey
# tokens are read only, green ones carry loss. Look at how names and numbers are cut. (`config`
# holds all the dials of the training, most of them from the profile.)

# %%
from semcoder_lib.training import rows

HELD_OUT = max(8, min(200, p.held_out_items // 10))  # programs whose loss is looked at after it
config = training.Config(
    steps=p.train_steps,
    epochs=2.0,  # the paper's, where `train_steps` is 0
    learning_rate=p.learning_rate,
    min_learning_rate=p.learning_rate / 10,
    batch_tokens=p.batch_tokens,
    batch_rows=p.batch_rows,
    max_length=p.max_length,
    lora_rank=p.lora_rank,
    seed=p.seed,
    stop_check=min(16, HELD_OUT),
)
first = rows.tokenise([row], tokenizer, config).rows[0]
display.tokens([tokenizer.decode([number]) for number in first.ids], first.prompt)

# %% [markdown]
# What the trainer gets of it: the last tokens of the prompt and the first of the completion, then
# the end. A label of -100 means that nothing is learned at that place.

# %%
columns = [
    {"token": number, "text": repr(tokenizer.decode([number])), "label": label}
    for number, label in zip(first.ids, first.labels(), strict=True)
]
display.table([*columns[first.prompt - 3 : first.prompt + 3], *columns[-2:]])

# %% [markdown]
# ## What PEFT and TRL are given
# The training itself is TRL's `SFTTrainer`; with `lora_rank` above 0 it trains PEFT's **LoRA**: the
# model's own weights stay as they are, and beside each linear layer two thin matrices learn what to
# add. The learning rate rises shortly, then falls along a cosine to a tenth. Here `r` is the rank,
# the width of the thin matrices; a step sees about `batch_tokens` tokens, so it has few long rows
# or many short ones.

# %%
from semcoder_lib.models import hardware
from semcoder_lib.training import trainer

prepared = rows.tokenise(chosen, tokenizer, config)
machine = hardware.probe()
plan = rows.planned(prepared.rows, config, machine.device)
lora, sft = trainer.adapter_arguments(config), trainer.arguments(config, machine, run.folder, plan)
names = ("r", "lora_alpha", "lora_dropout", "target_modules", "task_type")
display.counts({n: getattr(lora, n) for n in names} if lora else {}, "LoraConfig", "value")

# %%
names = ("max_steps", "gradient_accumulation_steps", "learning_rate", "lr_scheduler_type",
         "lr_scheduler_kwargs", "warmup_steps", "optim", "weight_decay", "max_grad_norm", "bf16",
         "gradient_checkpointing", "save_steps", "seed")  # fmt: skip
display.counts({n: getattr(sft, n) for n in names}, "SFTConfig", "value")

# %% [markdown]
# ## Guard rails
# A training that goes wrong rarely crashes. It ends well, and the model has learned nothing. So the
# rows are looked at before the first step and the loss and its gradient after every step; what
# cannot be right stops the training with one line. Here they are tripped on purpose.

# %%
from semcoder_lib.training import guards

tight = replace(config, max_length=96)
cut_rows = rows.tokenise(chosen, tokenizer, tight)
vocabulary = len(tokenizer)
trials = {
    "rows cut too short": (guards.check_rows, cut_rows, tokenizer, tight, len(chosen)),
    "an exploding loss": (guards.check_step, 3, [2.0, 9.0, float("nan")], 1.0, vocabulary, config),
    "no better than chance": (guards.check_step, 9, [11.0] * 9, 1.0, vocabulary, config),
    "nothing is trained": (guards.check_step, 1, [2.0], 0.0, vocabulary, config),
    "all is well": (guards.check_step, 3, [2.0, 1.8, 1.7], 1.0, vocabulary, config),
}
table = []
for name, (check, *arguments) in trials.items():
    try:
        check(*arguments)
        message = "passes"
    except training.TrainingStopped as stopped:
        message = str(stopped)
    table.append({"trial": name, "guard": message})
display.table(table)

# %% [markdown]
# ## Rows that are held out
# Some programs of other families are told, too, but not to train on. After the training their loss
# says what was learned beyond the rows themselves, and the share of them that the model ends by
# itself says whether it learned to stop.

# %%
from semcoder_lib import monologues

held = [e for e in short if e.program.split == "held_out"][:HELD_OUT]
style = monologues.STYLES[p.monologue_form].but(max_chars=p.monologue_chars)
bullets = 0 if style.brief else 2
derived, _ = run.step(
    "held_out.jsonl", monologues.derive_many, held,
    seed=p.seed, style=style, bullets=bullets, box=run.box,
)  # fmt: skip
held_rows = examples.monologue_examples({e.program.id: e.program for e in held}, derived,
                                        style=p.style)  # fmt: skip
held_rows += examples.direct_examples(held, seed=p.seed, style=p.style)
random.Random(f"{p.seed}:held out").shuffle(held_rows)
print(len(held_rows), "rows about", len(held), "held-out programs")

# %% [markdown]
# ## Train
# The longest step of the run. The curve below grows while it works. Stop it whenever you like: it
# goes on from its last checkpoint, with the same batches, and gives the same weights. What stays in
# the folder `main/` is the adapter and a card that says what it was made from.
#
# *With the profile `workshop`: about three minutes.*


# %%
def train(chosen, base, config, *, adapter=None, held_out=(), folder):
    """Train on the chosen rows, from an adapter on if there is one; what was learned."""
    result = training.train(
        chosen, folder, base=base.base, adapter=adapter, config=config, held_out=held_out
    )
    return result.outcome()


main = run.step("main/", train, chosen, base, config, held_out=held_rows)

# %% [markdown]
# ## What came of it
# Loss is in nats per trained token: the mean of -ln of the probability that the model gave to the
# right token. Guessing evenly among all tokens of the vocabulary would be 10.8. Compare the last
# loss with the held-out one: a large gap means that rows were learned by heart. `stopped_by_itself`
# is the share of held-out rows that the tuned model ended by itself.

# %%
display.counts({name: value for name, value in main.items() if name != "losses"}, "main", "value")

# %%
from semcoder_lib.report import figures

display.figure(figures.loss_curve({"main": main["losses"]}))

# %% [markdown]
# ## Before and after
# One held-out question, answered greedily by the base model, by yours, and by the one that the kit
# ships for this base (`adapters/`), which was trained for an evening in the same way. The form is
# what is learned first: a tuned model answers as it was shown, and ends. (After the two steps of
# the smoke profile the first two are still alike.) Whether an answer is *right*, and how often, is
# measured in notebook 06.
#
# *With the profile `workshop`: about 25 seconds.*

# %%
from semcoder_lib.run.models import shipped

question = next((e for e in held_rows if e.task == "forward"), chosen[0])
request = Request(question.id, question.prompt, max_new_tokens=min(160, p.reasoning_tokens))
tuned = replace(base, label="tuned", adapter=run.path("main"))
models = [model for model in (base, tuned, shipped(p)) if model]
columns = [question.prompt]
for model in models:
    file, cache = f"{model.label}_answer.jsonl", run.path("cache_answers.jsonl")
    completion = run.step(file, answers.ask, model, [request], cache=cache)[0]
    columns.append(f"--- {model.label}\n{completion.text}")
display.side_by_side(*map(display.code, columns))

# %% [markdown]
# ## Then on faults
# The second phase goes on from `main` with a fifth of the learning rate, on the rows of PyX-R.
# There are two versions: `refine` has to simulate the failing test on its own; `refine_traced`
# finds the recorded run in the prompt and begins with the root cause (table 4); it is trained only
# where `refine_sources` has `trace`. Which of them repairs better is the question of notebook 08.

# %%
phases = {}
if p.refine_steps and faults:
    phases["refine"] = [examples.refine_example(fault, style=p.style) for fault in faults]
    if "trace" in p.names("refine_sources"):
        phases["refine_traced"] = examples.traced_examples(faults, run.box, style=p.style)
config = replace(config, steps=p.refine_steps, learning_rate=p.learning_rate / 5)
learned = {"main": main}
for phase, fixes in phases.items():
    learned[phase] = run.step(f"{phase}/", train, fixes, base, config, adapter=run.path("main"))
why_none = "" if phases else f": {len(faults)} faults, refine_steps={p.refine_steps}"
print("rows:", {phase: len(fixes) for phase, fixes in phases.items()}, why_none)

# %%
display.figure(figures.loss_curve({phase: done["losses"] for phase, done in learned.items()}))

# %% [markdown] tags=["exercise"]
# ## Exercise 1: two bugs in a row
# Seven tokens: the first four are the prompt, the last one (2) is the end token. Somebody made the
# labels by hand, and two of them are wrong. Neither would stop the training. Mend them.
#
# ```text
# ids       31     7    12     9     4    25     2
# labels  -100  -100  -100     9     4    25  -100
# ```

# %% tags=["solution"]
mended = [-100, -100, -100, -100, 4, 25, 2]

# %% tags=["check"]
from semcoder_lib.run import check

check.e04_1(mended)

# %% [markdown] tags=["instructor"]
# Five minutes. Many mend only the end, and still learn the prompt's last token. Ask what each bug
# does to the model: one learns to write questions, the other never stops. Say: the loss falls in
# both cases. Only a look at a row shows them.

# %% [markdown] tags=["exercise"]
# ## Exercise 2: the loss by hand
# The curve above shows one number for each step. Compute it for one row: you have the probability
# that the model gave to the *right* token at each place, and the labels. Where the label is -100
# nothing is learned.


# %% tags=["solution"]
def loss(probabilities, labels):
    """Return the mean of -ln(probability) over the learned places, and 0.0 where there are none."""
    import math

    pairs = zip(probabilities, labels, strict=True)
    losses = [-math.log(probability) for probability, label in pairs if label != -100]
    return sum(losses) / len(losses) if losses else 0.0


# %% tags=["check"]
from semcoder_lib.run import check

check.e04_2(loss)

# %% [markdown] tags=["instructor"]
# Five minutes. Whoever divides by all places gets too small a loss. Ask which probability a loss of
# 0.7 stands for (one half), and one of 10.8 (a guess among all tokens). Say: a long prompt would
# drown the answer, so only the answer is counted.

# %% [markdown]
# ## Things to try
# - **Only one task.** Set `settings = "train_mix=direct:1"` and a `run_name` of your own in the
#   first cell (the notebooks before this one are then run first). Does the loss fall further? What
#   does the model answer under "Before and after", and what will it have lost in notebook 06?
# - **A thinner adapter.** Set `settings = "lora_rank=2"`: how much smaller is the file in `main/`,
#   and how much higher is the last loss? With `lora_rank=0` all weights are trained.
# - **Kill it.** With a profile of more steps than smoke, interrupt the kernel in "Train" when
#   half of the steps are done, then run the cell again: it goes on from the last checkpoint, and the
#   weights are those of a training that nobody disturbed.

# %% [markdown]
# ## The card
# The next notebooks load the adapters from this folder. Numbers that are the same in every run on
# like machines are in `results.json`; how long a training took is in `logs/training.json` beside
# its adapter.

# %%
counts = {
    "available": {kind: len(pool) for kind, pool in pools.items()},
    "own_code": {"asked": len(own_tasks), "right": sum(right)},
    "used": {kind: sum(e.task == kind for e in chosen) for kind in pools},
    **{phase: len(fixes) for phase, fixes in phases.items()},
}
results = {
    "model_name": assets.shown_name(p.model),
    "base": assets.described(p.model),
    "examples": counts,
    **learned,
}
run.finish(results)
