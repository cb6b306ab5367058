"""Makes small models, and what CTranslate2's own converter writes of them.

    python3 -m venv /tmp/v && /tmp/v/bin/pip install torch transformers ctranslate2
    /tmp/v/bin/python make.py ..

Beside each NAME.bin a NAME.json says of every tensor what the transformers library holds of it, under its
name there: rounded for float16 and bfloat16, and for integers quantised as CTranslate2 documents it
(int8: 127 over the largest of a row; int16: 1024 over the largest of a variable) and decoded as its
library does, code times the inverse of the scale, all in float32.
"""

import hashlib
import json
import re
import sys

import numpy as np
import torch
import transformers as hf
from ctranslate2.converters.transformers import _MODEL_LOADERS
from ctranslate2.specs.model_spec import LayerSpec

out = sys.argv[1]
hf.BertConfig.position_embedding_type = "absolute"  # newer versions of transformers leave it out
torch.manual_seed(5)
small = dict(vocab_size=12, pad_token_id=0, bos_token_id=1, eos_token_id=2)
both = dict(d_model=8, encoder_layers=1, decoder_layers=2, encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=16, decoder_ffn_dim=16, decoder_start_token_id=3)
MODELS = {
    "whisper": (hf.WhisperForConditionalGeneration, hf.WhisperConfig(**small, **both, num_mel_bins=4, max_source_positions=6, max_target_positions=7)),
    "llama": (hf.LlamaForCausalLM, hf.LlamaConfig(**small, hidden_size=16, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, intermediate_size=24)),
    "gpt2": (hf.GPT2LMHeadModel, hf.GPT2Config(**small, n_embd=8, n_layer=1, n_head=2, n_positions=6)),
    "t5": (hf.T5ForConditionalGeneration, hf.T5Config(vocab_size=12, d_model=8, d_kv=4, d_ff=16, num_layers=1, num_decoder_layers=2, num_heads=2, relative_attention_num_buckets=4)),
    "t5-gated": (hf.T5ForConditionalGeneration, hf.T5Config(vocab_size=12, d_model=8, d_kv=4, d_ff=16, num_layers=1, num_heads=2, relative_attention_num_buckets=4, feed_forward_proj="gated-gelu", tie_word_embeddings=False)),
    "bert": (hf.BertModel, hf.BertConfig(**small, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, max_position_embeddings=6)),
}
FILES = [("whisper", None), ("whisper", "int8"), ("whisper", "int8_float16"), ("whisper", "int16"), ("whisper", "bfloat16"), ("llama", "int8_bfloat16"), ("llama", "float16"), ("gpt2", "int8"), ("t5", "int8"), ("t5-gated", None), ("bert", "int8")]

# Names that the file has no other word for than its own.
RENAMED = [(r"^model\.(encoder|decoder)\.", r"\1."), (r"^pooler\.dense\.", "pooler_dense."),
           (r"^transformer\.wte\.", "model.embed_tokens."), (r"^transformer\.wpe\.", "model.embed_positions."), (r"^transformer\.ln_f\.", "model.norm."),
           (r"^transformer\.h\.(\d+)\.ln_1\.", r"model.layers.\1.input_layernorm."), (r"^transformer\.h\.(\d+)\.ln_2\.", r"model.layers.\1.post_attention_layernorm."),
           (r"^transformer\.h\.(\d+)\.attn\.c_proj\.", r"model.layers.\1.self_attn.o_proj."), (r"^transformer\.h\.(\d+)\.mlp\.c_fc\.", r"model.layers.\1.mlp.fc1."), (r"^transformer\.h\.(\d+)\.mlp\.c_proj\.", r"model.layers.\1.mlp.fc2.")]


def held(model):
    """The tensors of a model by the names of the reader; tied ones once."""
    state, seen = {}, set()
    for name, x in model.state_dict().items():
        if x.data_ptr() in seen:
            continue
        seen.add(x.data_ptr())
        for pattern, to in RENAMED:
            name = re.sub(pattern, to, name)
        turned = re.search(r"mlp\.fc[12]\.weight|o_proj\.weight|c_attn\.weight", name) and isinstance(model, hf.GPT2LMHeadModel)
        x = (x.t() if turned else x).float().contiguous().numpy()
        m = re.match(r"transformer\.h\.(\d+)\.attn\.c_attn\.(.*)", name)
        if m:
            for part, y in zip("qkv", np.split(x, 3)):
                state[f"model.layers.{m[1]}.self_attn.{part}_proj.{m[2]}"] = y
        else:
            state[name] = x
    return state


def rounded(x, kind):
    return torch.from_numpy(x).to({"float16": torch.float16, "bfloat16": torch.bfloat16}[kind]).float().numpy() if kind in ("float16", "bfloat16") else x


def decoded(x, scale):
    return (np.rint(x * scale).astype(np.int16).astype(np.float32)) * (np.float32(1) / scale)


def together(state, name):
    """The matrices that the converter puts into one with this one."""
    for parts, marks in ((("q", "k", "v"), ("self_attn", "SelfAttention", "attention.self")), (("k", "v"), ("encoder_attn", "EncDecAttention"))):
        words = {"q": ("q_proj", ".q.", "query"), "k": ("k_proj", ".k.", "key"), "v": ("v_proj", ".v.", "value")}
        for p in parts:
            for i, w in enumerate(words[p]):
                if w in name and any(m in name for m in marks):
                    return [state[name.replace(w, words[o][i])] for o in parts]
    return [state[name]]


def quantisable(name, x):
    return name.endswith(".weight") and x.ndim > 1 and "embed_positions" not in name and "position_embeddings" not in name and "relative" not in name


def expected(state, name, x, kind):
    weight, _, rest = (kind or "float32").partition("_")
    if weight == "int8" and quantisable(name, x):
        flat = x.reshape(len(x), -1)
        most = np.abs(flat).max(axis=1)
        return decoded(flat, (np.float32(127) / most)[:, None]).reshape(x.shape)
    if weight == "int16" and quantisable(name, x):
        return decoded(x, np.float32(2**10 / max(np.abs(y).max() for y in together(state, name))))
    return rounded(x, rest or weight)


for name, kind in FILES:
    cls, config = MODELS[name]
    model = cls(config).eval()
    for p in model.parameters():
        p.data = torch.randn_like(p)
    state = {n: x.copy() for n, x in held(model).items()}  # the converter takes some models apart
    loader = _MODEL_LOADERS[config.__class__.__name__]
    spec = loader.get_model_spec(model)
    LayerSpec.validate(spec)
    spec.optimize(quantization=kind)
    file = f"{name}-{kind or 'float32'}"
    spec._serialize(f"{out}/{file}.bin")
    tensors = []
    for n, x in sorted(state.items()):
        y = np.ascontiguousarray(expected(state, n, x, kind), dtype=np.float32)
        tensors.append({"name": n, "shape": list(y.shape), "f32_sha256": hashlib.sha256(y.tobytes()).hexdigest()})
    json.dump(tensors, open(f"{out}/{file}.json", "w"), indent=0)
