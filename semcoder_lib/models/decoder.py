"""A decoder for Llama and Qwen2 models that wastes nothing on a batch of ragged texts.

Why not the model's own `forward`: on a CPU it copies the whole key-value cache at every token
(concatenation), widens it to all query heads, and computes padding. Here the cache is allocated
once, rows of different lengths lie in slots, a prompt is prefilled without padding, and the query
heads that share a key head are treated as so many query positions, so the cache is read once.
The arithmetic is the model's own, in the same format.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

Layer = Callable[[Tensor], Tensor]
_ROPE = {"default", "linear", "llama3", "yarn"}  # the kinds whose angles do not depend on length


def supports(model: Any) -> bool:
    """Whether `model` has exactly the layers that this decoder computes."""
    config = model.config
    rope = getattr(config, "rope_parameters", None) or {}
    return (
        config.model_type in ("llama", "qwen2")
        and config.hidden_act == "silu"
        and getattr(config, "pretraining_tp", 1) == 1
        and not getattr(config, "use_sliding_window", False)
        and rope.get("rope_type", "default") in _ROPE
    )


class Slots:
    """The key-value cache of `count` rows of at most `length` tokens each."""

    def __init__(self, decoder: Decoder, count: int, length: int) -> None:
        shape = (decoder.layers, count, decoder.key_heads, length, decoder.head_size)
        # masked positions are multiplied by zero weight, and 0 * nan of fresh memory would be nan
        self.keys = torch.zeros(shape, dtype=decoder.dtype, device=decoder.device)
        self.values = torch.zeros_like(self.keys)

    def copy(self, source: int, target: int, length: int) -> None:
        """Make row `target` begin with the first `length` tokens of row `source`."""
        self.keys[:, target, :, :length] = self.keys[:, source, :, :length]
        self.values[:, target, :, :length] = self.values[:, source, :, :length]

    def take(self, row: int, length: int) -> tuple[Tensor, Tensor]:
        """A copy of the first `length` tokens of a row."""
        return self.keys[:, row, :, :length].clone(), self.values[:, row, :, :length].clone()

    def put(self, row: int, cached: tuple[Tensor, Tensor]) -> None:
        """Begin a row with what `take` gave."""
        length = cached[0].shape[2]
        self.keys[:, row, :, :length], self.values[:, row, :, :length] = cached


class Decoder:
    """The weights of a model (taken from it), joined for fewer and larger products."""

    def __init__(self, model: Any) -> None:
        inner, config = model.model, model.config
        self.layers = config.num_hidden_layers
        self.heads = config.num_attention_heads
        self.key_heads = config.num_key_value_heads
        self.head_size = inner.layers[0].self_attn.head_dim
        self.embedding = inner.embed_tokens.weight.detach()
        self.dtype, self.device = self.embedding.dtype, self.embedding.device
        self._rotary = inner.rotary_emb
        self._norm = _norm(inner.norm)
        self._head = model.lm_head.weight.detach()
        self._blocks = [_block(layer) for layer in inner.layers]
        self._angles: tuple[Tensor, Tensor] = (torch.empty(0), torch.empty(0))

    def bytes_per_token(self) -> int:
        """Cache bytes of one token of one row."""
        return 2 * self.layers * self.key_heads * self.head_size * self.embedding.element_size()

    @torch.inference_mode()
    def prefill(self, slots: Slots, rows: Sequence[tuple[int, list[int], int]]) -> Tensor:
        """Read several prompts at once. Each row is (slot, ids, how many tokens the slot already
        holds); returns the logits after each row's last id, shape (rows, vocabulary)."""
        device = self.device
        ids = torch.tensor([i for _, row, _ in rows for i in row], device=device)
        where = [range(past, past + len(row)) for _, row, past in rows]
        positions = torch.tensor([p for span in where for p in span], device=device)
        cos, sin = self._cos_sin(positions, max(span.stop for span in where))
        ends = torch.tensor([len(row) for _, row, _ in rows], device=device).cumsum(0) - 1
        bounds = [0, *(ends + 1).tolist()]

        def attend(layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
            out = torch.empty_like(q)
            for (slot, row, past), a, b in zip(rows, bounds, bounds[1:], strict=False):
                stop = past + len(row)
                slots.keys[layer, slot, :, past:stop] = k[a:b].transpose(0, 1)
                slots.values[layer, slot, :, past:stop] = v[a:b].transpose(0, 1)
                keys = slots.keys[layer, slot, :, :stop]
                values = slots.values[layer, slot, :, :stop]
                out[a:b] = self._attend_row(q[a:b], keys, values, past)
            return out

        hidden = self._run(ids, cos, sin, attend)
        return self._logits(hidden[ends])

    @torch.inference_mode()
    def step(self, slots: Slots, ids: Tensor, lengths: Tensor) -> Tensor:
        """One token for each of the first `len(ids)` slots, which hold `lengths` tokens; returns
        the logits after it."""
        count = len(ids)
        longest = int(lengths.max()) + 1
        cos, sin = self._cos_sin(lengths, longest)
        visible = torch.arange(longest, device=self.device)[None] <= lengths[:, None]
        mask = torch.zeros(visible.shape, dtype=self.dtype, device=self.device)
        mask.masked_fill_(~visible, float("-inf"))
        mask = mask[:, None, None]
        rows = torch.arange(count, device=self.device)
        group = self.heads // self.key_heads

        def attend(layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
            slots.keys[layer, rows, :, lengths] = k
            slots.values[layer, rows, :, lengths] = v
            out = F.scaled_dot_product_attention(
                q.view(count, self.key_heads, group, self.head_size),
                slots.keys[layer, :count, :, :longest],
                slots.values[layer, :count, :, :longest],
                attn_mask=mask,
            )
            return out.reshape(count, self.heads, self.head_size)

        return self._logits(self._run(ids, cos, sin, attend))

    def _run(self, ids: Tensor, cos: Tensor, sin: Tensor, attend: Callable[..., Tensor]) -> Tensor:
        x = F.embedding(ids, self.embedding)
        sizes = [self.heads, self.key_heads, self.key_heads]
        for number, block in enumerate(self._blocks):
            joined = block.qkv(block.before(x)).view(len(ids), -1, self.head_size)
            q, k, v = joined.split(sizes, dim=1)
            mixed = attend(number, _turned(q, cos, sin), _turned(k, cos, sin), v)
            x = x + block.out(mixed.reshape(len(ids), -1))
            gate, up = block.gate_up(block.between(x)).chunk(2, dim=-1)
            x = x + block.down(F.silu(gate) * up)
        return x

    def _logits(self, hidden: Tensor) -> Tensor:
        return F.linear(self._norm(hidden), self._head)

    def _attend_row(self, q: Tensor, keys: Tensor, values: Tensor, past: int) -> Tensor:
        count, total = q.shape[0], keys.shape[1]
        mask = None
        if past:
            mask = torch.ones(count, total, dtype=torch.bool, device=q.device).tril(past)
        group = self.heads // self.key_heads
        return F.scaled_dot_product_attention(
            q.transpose(0, 1)[None],
            keys.repeat_interleave(group, 0)[None],
            values.repeat_interleave(group, 0)[None],
            attn_mask=mask,
            is_causal=mask is None and count > 1,
        )[0].transpose(0, 1)

    def _cos_sin(self, positions: Tensor, longest: int) -> tuple[Tensor, Tensor]:
        if self._angles[0].shape[0] < longest:
            every = torch.arange(max(longest, 1024), device=self.device)
            cos, sin = self._rotary(self.embedding[:1, None].float(), every[None])
            self._angles = (cos[0].to(self.dtype), sin[0].to(self.dtype))
        cos, sin = self._angles
        return cos[positions][:, None], sin[positions][:, None]


def _block(layer: Any) -> SimpleNamespace:
    attention, mlp = layer.self_attn, layer.mlp
    return SimpleNamespace(
        before=_norm(layer.input_layernorm),
        qkv=_joined(attention.q_proj, attention.k_proj, attention.v_proj),
        out=_joined(attention.o_proj),
        between=_norm(layer.post_attention_layernorm),
        gate_up=_joined(mlp.gate_proj, mlp.up_proj),
        down=_joined(mlp.down_proj),
    )


def _joined(*parts: Any) -> Layer:
    weight = torch.cat([p.weight.detach() for p in parts])
    bias = None if parts[0].bias is None else torch.cat([p.bias.detach() for p in parts])
    for part in parts:  # the model's own copy is not needed any more
        part.weight = None
    return lambda x: F.linear(x, weight, bias)


def _norm(module: Any) -> Layer:
    weight, epsilon = module.weight.detach(), module.variance_epsilon

    def apply(x: Tensor) -> Tensor:
        wide = x.float()
        wide = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + epsilon)
        return weight * wide.to(x.dtype)

    return apply


def _turned(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    half = x.shape[-1] // 2
    turned = torch.cat((-x[..., half:], x[..., :half]), dim=-1)
    return x * cos + turned * sin
