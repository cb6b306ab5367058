"""Makes the files of this folder with flax.

    python3 -m venv /tmp/v && /tmp/v/bin/pip install flax numpy ml_dtypes
    /tmp/v/bin/python make.py ..

Every NAME.msgpack has NAME.json (names, types, shapes, digest of the bytes) and
NAME.f32 (all values in the order of the JSON, as little-endian float32), but for the last two.
"""

import hashlib
import json
import os
import sys

import ml_dtypes
import numpy as np
from flax import serialization

OUT = sys.argv[1]
DTYPES = {"float64": "F64", "float32": "F32", "float16": "F16", "bool": "BOOL", "bfloat16": "BF16", "complex64": "C64",
          "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2"}
DTYPES.update({f"{u}int{n}": f"{u.upper() or 'I'}{n}" for u in ("u", "") for n in (8, 16, 32, 64)})


def flat(tree, name=""):
    if isinstance(tree, dict):
        for k, v in tree.items():
            yield from flat(v, f"{name}.{k}" if name else k)
    elif isinstance(tree, (list, tuple)):
        for i, v in enumerate(tree):
            yield from flat(v, f"{name}.{i}")
    elif isinstance(tree, (np.ndarray, np.generic)):
        yield name, np.asarray(tree)


def save(name, tree, model=None):
    b = serialization.msgpack_serialize(tree)
    with open(os.path.join(OUT, name + ".msgpack"), "wb") as f:
        f.write(b)
    restored = serialization.msgpack_restore(b)
    rows, values = [], b""
    for k, a in flat(restored if model is None else model(restored)):
        rows.append({"name": k, "dtype": DTYPES[a.dtype.name], "shape": list(a.shape), "raw_sha256": hashlib.sha256(a.tobytes()).hexdigest()})
        v = a.view("f4") if a.dtype == np.complex64 else a.astype("<f4")
        values += v.tobytes()
    with open(os.path.join(OUT, name + ".json"), "w") as f:
        json.dump({"file": name + ".msgpack", "tensors": rows}, f, indent=1)
        f.write("\n")
    with open(os.path.join(OUT, name + ".f32"), "wb") as f:
        f.write(values)


g = np.random.default_rng(1)
w = lambda *s: g.standard_normal(s).astype("f4")
model = {"bert": {"embeddings": {"word_embeddings": {"embedding": w(11, 4)}}, "encoder": {"layer": {str(i): {"attention": {"self": {"query": {"kernel": w(4, 4), "bias": w(4)}}}} for i in range(3)}}}}
save("model", model)
raw = {n: g.integers(0, 256, 48, dtype=np.uint8).view(n).reshape(2, -1) for n in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8")}
save("types", {**raw, "f2": w(3, 5).astype("f2"), "f8": w(3, 5).astype("f8"), "bf16": w(3, 5).astype(ml_dtypes.bfloat16), "e4m3": np.arange(256, dtype="u1").view(ml_dtypes.float8_e4m3fn),
               "e5m2": np.arange(256, dtype="u1").view(ml_dtypes.float8_e5m2), "bool": np.array([True, False]), "c8": w(4, 6).view("c8"),
               "scalar": np.array(2.5, "f4"), "generic": np.float32(1.5), "empty": np.zeros((0, 3), "f4"), "list": [w(2), {"x": w(1, 1)}],
               "text": "x" * 300, "number": 70000, "negative": -5, "large": -(2**40), "none": None, "float": 1.5, "complex": 1 + 2j, "bytes": b"x", "fortran": np.asfortranarray(w(3, 4))})
save("state", {"step": 3, "params": model["bert"], "batch_stats": {"mean": w(4)}, "opt_state": {"0": {"mu": w(4)}}, "epoch": 2},
     lambda t: {**t["params"], "batch_stats": t["batch_stats"]})
serialization.MAX_CHUNK_SIZE = 64
save("chunked", {"a": {"kernel": w(7, 11)}, "half": w(5, 9).astype("f2"), "small": w(3), "deep": w(3, 4, 5)})

# One transformer of two towers by nn.scan, as big_vision and transformers name its layers, and the same
# network without it, whose layers stand apart.
import jax
from flax import linen as nn


class Attention(nn.Module):
    @nn.compact
    def __call__(self, x):
        q, k, v = (nn.Dense(8, name=n + "_proj")(x) for n in "qkv")
        return nn.Dense(8, name="out_proj")(jax.nn.softmax(q @ k.T) @ v)


class Layer(nn.Module):
    @nn.compact
    def __call__(self, x, _):
        x = x + Attention(name="self_attn")(nn.LayerNorm(name="self_attn_layer_norm")(x))
        y = nn.Dense(12, name="fc1")(nn.LayerNorm(name="final_layer_norm")(x))
        return x + nn.Dense(8, name="fc2")(nn.gelu(y)), None


class Block(nn.Module):
    @nn.compact
    def __call__(self, x, _):
        y = nn.LayerNorm(name="LayerNorm_0")(x)
        x = x + nn.MultiHeadDotProductAttention(2, name="MultiHeadDotProductAttention_0")(y, y)
        y = nn.LayerNorm(name="LayerNorm_1")(x)
        return x + Mlp(name="MlpBlock_0")(y), None


class Mlp(nn.Module):
    @nn.compact
    def __call__(self, x):
        y = nn.gelu(nn.Dense(12)(x))
        return nn.Dense(8)(y)


def scan(layer, n, name):
    return nn.scan(layer, variable_axes={"params": 0}, split_rngs={"params": True}, length=n)(name=name)


class Collection(nn.Module):
    @nn.compact
    def __call__(self, x):
        return scan(Layer, 3, "FlaxEncoderScanLayers")(x, None)[0]


class Encoder(nn.Module):
    @nn.compact
    def __call__(self, ids):
        x = nn.Embed(10, 8, name="embed_tokens")(ids)
        return nn.LayerNorm(name="layer_norm")(Collection(name="layers")(x))


class Transformer(nn.Module):
    @nn.compact
    def __call__(self, x):
        return nn.LayerNorm(name="encoder_norm")(scan(Block, 2, "encoderblock")(x, None)[0])


def trained(tree):
    return {k: trained(v) if isinstance(v, dict) else w(*v.shape) for k, v in tree.items()}


key = jax.random.key(0)
stacked = {"encoder": trained(Encoder().init(key, np.arange(5))["params"]), "vision": {"Transformer": trained(Transformer().init(key, w(5, 8))["params"])}}


def apart(tree):
    layers = tree["encoder"]["layers"]["FlaxEncoderScanLayers"]
    blocks = tree["vision"]["Transformer"]["encoderblock"]
    at = lambda t, i: {k: at(v, i) if isinstance(v, dict) else np.asarray(v[i]) for k, v in t.items()}
    return {"encoder": {**{k: v for k, v in tree["encoder"].items() if k != "layers"}, "layers": {str(i): at(layers, i) for i in range(3)}},
            "vision": {"Transformer": {**{k: v for k, v in tree["vision"]["Transformer"].items() if k != "encoderblock"}, **{f"encoderblock_{i}": at(blocks, i) for i in range(2)}}}}


serialization.MAX_CHUNK_SIZE = 2**30
for name, tree in (("stacked", stacked), ("apart", apart(stacked))):  # held against one another
    with open(os.path.join(OUT, name + ".msgpack"), "wb") as f:
        f.write(serialization.msgpack_serialize(tree))
