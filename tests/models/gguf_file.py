"""Writes a saved tiny Qwen2 model as the GGUF file that llama.cpp would make of it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter, LlamaFileType, TokenType, quants
from safetensors.numpy import load_file

TEMPLATE = "{% for m in messages %}<s>{{ m.role }}: {{ m.content }}</s>{% endfor %}<s>answer: "
_NAMES = {
    "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}  # fmt: skip


def write(folder: Path, file: Path, *, quantised: bool = False, pre: str = "qwen2") -> None:
    """With `quantised` the tied matrix is there twice, coarse and fine, as llama.cpp writes it."""
    config = json.loads((folder / "config.json").read_text())
    out = GGUFWriter(str(file), config["model_type"])
    out.add_block_count(config["num_hidden_layers"])
    out.add_context_length(config["max_position_embeddings"])
    out.add_embedding_length(config["hidden_size"])
    out.add_feed_forward_length(config["intermediate_size"])
    out.add_head_count(config["num_attention_heads"])
    out.add_head_count_kv(config["num_key_value_heads"])
    out.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    out.add_layer_norm_rms_eps(config["rms_norm_eps"])
    out.add_file_type(LlamaFileType.MOSTLY_Q5_0 if quantised else LlamaFileType.ALL_F32)
    tokenizer = json.loads((folder / "tokenizer.json").read_text())["model"]
    words = sorted(tokenizer["vocab"], key=tokenizer["vocab"].__getitem__)
    out.add_tokenizer_model("gpt2")
    out.add_tokenizer_pre(pre)
    out.add_token_list(words)
    special = {0, 1, 2}
    out.add_token_types(
        [TokenType.CONTROL if i in special else TokenType.NORMAL for i in range(len(words))]
    )
    out.add_token_merges([" ".join(pair) for pair in tokenizer["merges"]])
    out.add_bos_token_id(1)
    out.add_eos_token_id(2)
    out.add_chat_template(TEMPLATE)
    for name, values in load_file(folder / "model.safetensors").items():
        if name == "model.embed_tokens.weight":
            _add(out, "token_embd.weight", values, GGMLQuantizationType.Q5_0 if quantised else None)
            if quantised:
                _add(out, "output.weight", values, GGMLQuantizationType.Q8_0)
        elif name == "model.norm.weight":
            _add(out, "output_norm.weight", values)
        else:
            layer, _, rest = name.removeprefix("model.layers.").partition(".")
            part, _, kind = rest.rpartition(".")
            _add(out, f"blk.{layer}.{_NAMES[part]}.{kind}", values)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


def _add(
    out: GGUFWriter, name: str, values: np.ndarray, kind: GGMLQuantizationType | None = None
) -> None:
    data = values.astype(np.float32)
    if kind is None:
        out.add_tensor(name, data)
    else:
        out.add_tensor(name, quants.quantize(data, kind), raw_dtype=kind)
