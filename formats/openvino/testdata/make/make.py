"""Makes the models of this folder with OpenVINO itself.

    python3 -m venv /tmp/v && /tmp/v/bin/pip install openvino torch==2.9.1 numpy
    /tmp/v/bin/python make.py ..

Every NAME.xml has NAME.json (names, types, shapes of the tensors that a reader
must list) and NAME.f32 (all values in that order, little-endian float32): what
the exported module holds, or what OpenVINO computes.
"""

import json
import sys

import numpy as np
import openvino as ov
import torch
from openvino import opset13 as op
from torch import nn

OUT = sys.argv[1]


def note(name, tensors):
    json.dump([{"name": n, "dtype": t, "shape": list(a.shape)} for n, t, a in tensors], open(f"{OUT}/{name}.json", "w"), indent=0)
    with open(f"{OUT}/{name}.f32", "wb") as f:
        for _, _, a in tensors:
            f.write(np.ascontiguousarray(a).astype("<f4").tobytes())


class Model(nn.Module):
    def __init__(self, d=16, vocab=24):
        super().__init__()
        self.embed_tokens = nn.Embedding(vocab, d)
        self.norm = nn.LayerNorm(d)
        self.up_proj, self.down_proj = nn.Linear(d, 2 * d), nn.Linear(2 * d, d, bias=False)
        self.conv = nn.Conv1d(d, 4, 3)

    def forward(self, ids):
        x = self.norm(self.embed_tokens(ids))
        x = x + self.down_proj(torch.relu(self.up_proj(x)))
        return self.conv(x.transpose(1, 2))


torch.manual_seed(1)
model = Model().eval()
with torch.no_grad():
    for p in model.parameters():
        p.copy_(torch.rand(p.shape) * 0.9 + 0.1 if p.dim() == 1 else torch.randn(p.shape))
state = {k: v.numpy() for k, v in model.state_dict().items()}
m = ov.convert_model(model, example_input=torch.arange(6).reshape(1, 6))
ov.save_model(m, f"{OUT}/full.xml", compress_to_fp16=False)
ov.save_model(m, f"{OUT}/half.xml", compress_to_fp16=True)
note("full", [(k, "F32", v) for k, v in state.items()])
note("half", [(k, "F16", v.astype(np.float16)) for k, v in state.items()])


def compressed():
    """Codes as NNCF leaves them: converted, a zero-point subtracted, multiplied, perhaps joined from groups."""
    rng = np.random.default_rng(2)
    outs, names = [], []

    def add(name, kind, codes, scale, zero=None, join=None, half=False):
        codes.set_friendly_name(name)
        f = np.float16 if half else np.float32
        x = op.convert(codes, f)
        if zero is not None:
            z = op.constant(zero[0], zero[1]) if isinstance(zero, tuple) else op.constant(zero)
            x = op.subtract(x, op.convert(z, f))
        x = op.multiply(x, op.constant(scale.astype(f)))
        if join:
            x = op.reshape(x, op.constant(np.array(join, np.int64)), False)
        if half:
            x = op.convert(x, np.float32)
        outs.append(x)
        names.append((name, kind))

    s = lambda *n: (rng.random(n) * 0.1 + 0.01).astype(np.float32)
    add("rows.i8", "INT8", op.constant(rng.integers(-128, 128, (5, 7), dtype=np.int8)), s(5, 1))
    add("rows.u8", "INT8", op.constant(rng.integers(0, 256, (5, 7), dtype=np.uint8)), s(5, 1), rng.integers(0, 256, (5, 1), dtype=np.uint8))
    add("whole.u8", "INT8", op.constant(rng.integers(0, 256, (5, 7), dtype=np.uint8)), s(1, 1), np.array([[7]], np.uint8))
    add("conv.i8", "INT8", op.constant(rng.integers(-128, 128, (4, 3, 2, 2), dtype=np.int8)), s(4, 1, 1, 1))
    pack = lambda a: ov.Tensor((a.reshape(-1)[0::2] & 15 | (a.reshape(-1)[1::2] & 15) << 4).astype(np.uint8), ov.Shape(a.shape), ov.Type.u4)
    packi = lambda a: ov.Tensor((a.reshape(-1)[0::2] & 15 | (a.reshape(-1)[1::2] & 15) << 4).astype(np.uint8), ov.Shape(a.shape), ov.Type.i4)
    add("groups.u4", "INT4", op.constant(pack(rng.integers(0, 16, (4, 3, 8)).astype(np.uint8))), s(4, 3, 1), np.full((4, 3, 1), 8, np.uint8), [4, 24])
    add("groups.i4", "INT4", op.constant(packi(rng.integers(0, 16, (4, 3, 8)).astype(np.uint8))), s(4, 3, 1), None, [4, 24])
    m = ov.Model([op.result(x) for x in outs], [], "compressed")
    # Nothing is folded on the way to the file.
    ov.serialize(m, f"{OUT}/compressed.xml", f"{OUT}/compressed.bin")
    ys = ov.Core().compile_model(m, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})([])
    note("compressed", [(n, k, ys[i]) for i, (n, k) in enumerate(names)])


compressed()
