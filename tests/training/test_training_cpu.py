"""Attention in blocks equals torch's, gradients included, and hands over what it does not do."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from tiny_model import save_tiny
from torch import Tensor
from transformers import AutoModelForCausalLM

from semcoder_lib.training import cpu

CAUSAL = SimpleNamespace(is_causal=True, num_key_value_groups=1, training=True)


def inputs(
    heads: int, shared: int, length: int, dtype: torch.dtype = torch.float32
) -> tuple[list[Tensor], Tensor]:
    made = torch.Generator().manual_seed(heads * 1000 + length)
    shapes = [(2, heads, length, 16), (2, shared, length, 16), (2, shared, length, 16)]
    tensors = [torch.randn(s, generator=made).to(dtype).requires_grad_() for s in shapes]
    return tensors, torch.randn(2, heads, length, 16, generator=made).to(dtype)


def reference(query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
    groups = query.shape[1] // key.shape[1]
    key, value = (x.repeat_interleave(groups, dim=1) for x in (key, value))
    return F.scaled_dot_product_attention(query, key, value, is_causal=True, scale=scale)


def gradients(out: Tensor, tensors: list[Tensor], slope: Tensor) -> list[Tensor]:
    return list(torch.autograd.grad(out, tensors, slope))


@pytest.mark.parametrize(("heads", "shared"), [(3, 3), (6, 2), (4, 1)])
@pytest.mark.parametrize("length", [1, 64, 65, 200])
def test_equals_torch_in_outputs_and_gradients(heads: int, shared: int, length: int) -> None:
    tensors, slope = inputs(heads, shared, length)
    ours, none = cpu.causal_attention(CAUSAL, *tensors, None, scaling=0.3)
    theirs = reference(*tensors, 0.3)
    assert none is None
    torch.testing.assert_close(ours.transpose(1, 2), theirs, atol=1e-5, rtol=1e-5)
    for got, wanted in zip(
        gradients(ours.transpose(1, 2), tensors, slope),
        gradients(theirs, tensors, slope),
        strict=True,
    ):
        torch.testing.assert_close(got, wanted, atol=2e-5, rtol=1e-4)


def test_in_bf16_no_further_from_the_truth_than_torch() -> None:
    exact, slope = inputs(6, 2, 150)
    truth = [reference(*exact, 0.25).detach(), *gradients(reference(*exact, 0.25), exact, slope)]
    rounded = [x.detach().bfloat16().requires_grad_() for x in exact]
    ours = cpu.causal_attention(CAUSAL, *rounded, None, scaling=0.25)[0].transpose(1, 2)
    theirs = reference(*rounded, 0.25)
    for got, other, wanted in zip(
        [ours, *gradients(ours, rounded, slope.bfloat16())],
        [theirs, *gradients(theirs, rounded, slope.bfloat16())],
        truth,
        strict=True,
    ):
        assert got.dtype == torch.bfloat16
        error, torchs = (float((x.detach().float() - wanted).norm()) for x in (got, other))
        assert error < 2 * torchs


def test_under_autocast_mixed_formats_are_one() -> None:
    (query, key, value), slope = inputs(4, 2, 100)
    rounded = value.detach().bfloat16().requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = cpu.causal_attention(CAUSAL, query, key, rounded, None)[0].transpose(1, 2)
    got = gradients(out, [query, key, rounded], slope.bfloat16())
    wanted = gradients(reference(query, key, value, 0.25), [query, key, value], slope)
    assert [g.dtype for g in got] == [torch.float32, torch.float32, torch.bfloat16]
    for one, other in zip(got, wanted, strict=True):
        assert float((one.float() - other).norm()) < 0.05 * float(other.norm())


def test_a_mask_or_a_cache_goes_to_torch() -> None:
    (query, key, value), _ = inputs(2, 2, 40)
    mask = torch.rand(2, 1, 40, 40, generator=torch.Generator().manual_seed(0)) > 0.3
    mask = mask | torch.eye(40, dtype=torch.bool)
    out, _ = cpu.causal_attention(CAUSAL, query, key, value, mask)
    wanted = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    torch.testing.assert_close(out.transpose(1, 2), wanted)
    last, _ = cpu.causal_attention(CAUSAL, query[:, :, -1:], key, value, None)
    whole, _ = cpu.causal_attention(CAUSAL, query, key, value, None)
    torch.testing.assert_close(last[:, 0], whole[:, -1], atol=1e-5, rtol=1e-5)


def test_a_model_computes_the_same_with_padding_and_saves_no_trace_of_it(tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "tiny")
    plain = AutoModelForCausalLM.from_pretrained(folder)
    blocks = AutoModelForCausalLM.from_pretrained(folder)
    cpu.accelerate(blocks)
    assert blocks.config._attn_implementation == cpu.ATTENTION
    ids = torch.randint(3, 200, (3, 90), generator=torch.Generator().manual_seed(1))
    mask = torch.ones_like(ids)
    mask[0, :20] = 0  # padding on the left needs a mask
    for given in (None, mask):
        with torch.no_grad():
            ours, theirs = (m(input_ids=ids, attention_mask=given).logits for m in (blocks, plain))
        kept = mask.bool() if given is not None else torch.ones_like(ids).bool()
        torch.testing.assert_close(ours[kept], theirs[kept], atol=1e-4, rtol=1e-4)
    blocks.save_pretrained(tmp_path / "saved")
    assert cpu.ATTENTION not in (tmp_path / "saved" / "config.json").read_text()


@pytest.mark.parametrize(("rows", "unlabelled"), [(3, 1), (700, 350), (4, 4)])
def test_labelled_loss_equals_full_cross_entropy(rows: int, unlabelled: int) -> None:
    torch.manual_seed(0)
    hidden = torch.randn(2, rows, 8, requires_grad=True)
    weight = torch.randn(50, 8, requires_grad=True)
    labels = torch.randint(0, 50, (2, rows))
    labels[:, :unlabelled] = -100
    scores = (hidden[:, :-1] @ weight.T).reshape(-1, 50)
    full = F.cross_entropy(scores, labels[:, 1:].reshape(-1), reduction="sum")
    expected = torch.autograd.grad(full, (hidden, weight))
    ours = cpu.summed_loss(hidden, weight, labels)
    got = torch.autograd.grad(3 * ours, (hidden, weight))
    torch.testing.assert_close(ours, full)
    for a, b in zip(got, expected, strict=True):
        torch.testing.assert_close(a, 3 * b, rtol=1e-4, atol=1e-4)
