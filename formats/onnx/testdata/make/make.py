"""Makes the models of this folder with the exporters and quantisers themselves.

    python3 -m venv /tmp/v
    /tmp/v/bin/pip install torch==2.9.1 onnx==1.23.2 onnxruntime==1.32.0 onnxscript numpy scikit-learn skl2onnx==1.20.0
    /tmp/v/bin/python make.py ..

Every NAME.onnx has NAME.json (names, types and shapes of the tensors that a
reader must list) and NAME.f32 (all values in that order, little-endian
float32). Values come from the module that was exported, from the operators as
ONNX Runtime or onnx's reference evaluator computes them, or from onnx.numpy_helper.
"""

import json
import os
import sys
import warnings

import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnx import TensorProto as T, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from torch import nn

warnings.filterwarnings("ignore")
OUT = sys.argv[1]


def note(name, tensors):
    """tensors: list of (name, type, array)."""
    with open(f"{OUT}/{name}.json", "w") as f:
        json.dump([{"name": n, "dtype": t, "shape": list(a.shape)} for n, t, a in tensors], f, indent=0)
    with open(f"{OUT}/{name}.f32", "wb") as f:
        for _, _, a in tensors:
            f.write(np.ascontiguousarray(a).astype("<f4").tobytes())


def safetensors(path, tensors):
    header, blobs, at = {}, [], 0
    for n, a in tensors.items():
        b = np.ascontiguousarray(a).astype("<f4").tobytes()
        header[n] = {"dtype": "F32", "shape": list(a.shape), "data_offsets": [at, at + len(b)]}
        blobs.append(b)
        at += len(b)
    h = json.dumps(header).encode()
    with open(path, "wb") as f:
        f.write(len(h).to_bytes(8, "little") + h + b"".join(blobs))


class Attention(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.q_proj, self.k_proj = nn.Linear(d, d), nn.Linear(d, d, bias=False)
        self.v_proj, self.o_proj = nn.Linear(d, d), nn.Linear(d, d)

    def forward(self, x):
        a = self.q_proj(x) @ self.k_proj(x).transpose(-1, -2)
        return self.o_proj(torch.softmax(a, -1) @ self.v_proj(x))


class Block(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.self_attn = Attention(d)
        self.input_layernorm, self.post_attention_layernorm = nn.LayerNorm(d), nn.LayerNorm(d)
        self.mlp = nn.Sequential(nn.Linear(d, 2 * d), nn.GELU(), nn.Linear(2 * d, d, bias=False))

    def forward(self, x):
        x = x + self.self_attn(self.input_layernorm(x))
        return x + self.mlp(self.post_attention_layernorm(x))


class Model(nn.Module):
    def __init__(self, d=16, vocab=24):
        super().__init__()
        self.embed_tokens = nn.Embedding(vocab, d)
        self.layers = nn.ModuleList([Block(d), Block(d)])
        self.lm_head = nn.Linear(d, vocab, bias=False)

    def forward(self, ids):
        x = self.embed_tokens(ids)
        for layer in self.layers:
            x = layer(x)
        return self.lm_head(x)


class Vision(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU()),
            nn.Sequential(nn.Conv2d(8, 8, 3, groups=8, bias=False), nn.BatchNorm2d(8), nn.PReLU(8)),
        )
        self.up = nn.ConvTranspose2d(8, 4, 2)
        self.classifier = nn.Linear(4, 5)

    def forward(self, x):
        return self.classifier(self.up(self.features(x)).mean((2, 3)))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(6, 5, num_layers=2, bidirectional=True)
        self.gru = nn.GRU(10, 4, batch_first=True)
        self.rnn = nn.RNN(4, 3)
        self.head = nn.Linear(3, 2)

    def forward(self, x):
        return self.head(self.rnn(self.gru(self.lstm(x)[0])[0])[0])


def randomise(m, seed):
    """Draws every parameter, also those that modules begin with ones and zeros."""
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in list(m.parameters()) + [b for b in m.buffers() if b.is_floating_point()]:
            p.copy_(torch.rand(p.shape, generator=g) * 0.9 + 0.1 if p.dim() == 1 else torch.randn(p.shape, generator=g) * 0.4)
    return m.eval()


def floats(m):
    return {k: v.numpy() for k, v in m.state_dict().items() if v.is_floating_point()}


def export(m, x, name, dynamo):
    torch.onnx.export(m, x, f"{OUT}/{name}.onnx", dynamo=dynamo, opset_version=18 if dynamo else 17, input_names=["x"], external_data=False)
    if dynamo:  # the traces name files of the machine
        m = onnx.load(f"{OUT}/{name}.onnx")
        for n in m.graph.node:
            kept = [p for p in n.metadata_props if p.key == "pkg.torch.onnx.name_scopes"]
            del n.metadata_props[:]
            n.metadata_props.extend(kept)
        for owner in [m, m.graph] + list(m.graph.value_info) + list(m.graph.initializer) + list(m.graph.input) + list(m.graph.output):
            del owner.metadata_props[:]
        del m.graph.value_info[:]
        onnx.save(m, f"{OUT}/{name}.onnx")


ids = (torch.arange(6).reshape(1, 6),)
model = randomise(Model(), 1)
state = floats(model)
safetensors(f"{OUT}/state.safetensors", state)
for name, dynamo in [("script", False), ("dynamo", True)]:
    export(model, ids, name, dynamo)
    note(name, [(k, "F32", v) for k, v in state.items()])

# All values in another file, as large models have them.
if os.path.exists(f"{OUT}/external.onnx_data"):
    os.remove(f"{OUT}/external.onnx_data")
m = onnx.load(f"{OUT}/script.onnx")
onnx.save_model(m, f"{OUT}/external.onnx", save_as_external_data=True, all_tensors_to_one_file=True, location="external.onnx_data", size_threshold=0)
note("external", [(k, "F32", v) for k, v in state.items()])

# Dynamic quantisation: MatMulInteger, and Gather before DequantizeLinear.
for name, per_channel, kind in [("dynamic", False, QuantType.QUInt8), ("dynamic-channels", True, QuantType.QInt8)]:
    quantize_dynamic(f"{OUT}/script.onnx", f"{OUT}/{name}.onnx", per_channel=per_channel, weight_type=kind)
# Static quantisation: QDQ and QOperator, by channel, biases as INT32.


class Reader(CalibrationDataReader):
    def __init__(self, key, batches):
        self.batches = iter([{key: b} for b in batches])

    def get_next(self):
        return next(self.batches, None)


def dequantised(path):
    """The weights of a quantised model by the name of what was quantised: (q - z) * s."""
    m = onnx.load(path)
    init = {t.name: numpy_helper.to_array(t) for t in m.graph.initializer}
    dims = {n.input[0]: next((a.i for a in n.attribute if a.name == "axis"), 1) for n in m.graph.node if n.op_type == "DequantizeLinear"}
    dims |= {n.input[3]: 0 for n in m.graph.node if n.op_type == "QLinearConv"}
    dims |= {n.input[3]: 0 for n in m.graph.node if n.op_type == "QGemm" and any(a.name == "transB" and a.i for a in n.attribute)}
    out = {}
    for name, q in init.items():
        if not name.endswith("_quantized"):
            continue
        base = name[: -len("_quantized")]
        if base + "_scale" not in init and name + "_scale" not in init:  # the bias of an operator on integers: the product of two scales
            n = next(n for n in m.graph.node if name in n.input)
            out[base] = (q.astype(np.float32) * (init[n.input[1]] * init[n.input[4]]).reshape(-1), q.dtype)
            continue
        s = init[base + "_scale"] if base + "_scale" in init else init[name + "_scale"]
        z = init.get(base + "_zero_point", init.get(name + "_zero_point", np.zeros_like(s, dtype=q.dtype)))
        if s.size > 1:
            axis = dims.get(name, q.ndim - 1)
            shape = [1] * q.ndim
            shape[axis] = -1
            s, z = s.reshape(shape), z.reshape(shape)
        out[base] = ((q.astype(np.int64) - z.astype(np.int64)).astype(np.float32) * s, q.dtype)
    return out


vision = randomise(Vision(), 2)
image = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(3))
export(vision, (image,), "vision", False)
conv = floats(vision)
safetensors(f"{OUT}/vision.safetensors", conv)
for fmt, name in [(QuantFormat.QDQ, "qdq"), (QuantFormat.QOperator, "qoperator")]:
    quantize_static(f"{OUT}/vision.onnx", f"{OUT}/{name}.onnx", Reader("x", [image.numpy()] * 2), quant_format=fmt, per_channel=True, weight_type=QuantType.QInt8)
for name in ["dynamic", "dynamic-channels", "qdq", "qoperator"]:
    d = dequantised(f"{OUT}/{name}.onnx")
    note(name, [(k, str(t), v) for k, (v, t) in sorted(d.items())])

recurrent = randomise(Recurrent(), 4)
export(recurrent, (torch.randn(7, 1, 6),), "recurrent", False)
note("recurrent", [(k, "F32", v) for k, v in floats(recurrent).items()])


def directions():
    """Integers of an LSTM of two directions, each with a scale, or with one for each output."""
    import tempfile

    lstm = randomise(nn.LSTM(6, 5, bidirectional=True), 5)
    with tempfile.TemporaryDirectory() as d:
        torch.onnx.export(lstm, torch.randn(7, 1, 6), f"{d}/lstm.onnx", dynamo=False, opset_version=17, input_names=["x"])
        for name, per_channel in [("directions", False), ("directions-channels", True)]:
            quantize_dynamic(f"{d}/lstm.onnx", f"{OUT}/{name}.onnx", per_channel=per_channel, weight_type=QuantType.QInt8, op_types_to_quantize=["LSTM"])
            m = onnx.load(f"{OUT}/{name}.onnx")
            init = {t.name: numpy_helper.to_array(t) for t in m.graph.initializer}
            n = next(n for n in m.graph.node if n.op_type == "DynamicQuantizeLSTM")
            out = []
            for codes, scale, zero in [(1, 8, 9), (2, 10, 11)]:
                q, s, z = (init[n.input[i]] for i in (codes, scale, zero))
                s, z = (v.reshape(2, 1, -1) for v in (s, z))
                out.append((n.input[codes].removesuffix("_quantized"), "INT8", (q.astype(np.int64) - z).astype(np.float32) * s))
            note(name, out)


directions()


# Blocks of 4 and 8 bits: ONNX Runtime multiplies them by an identity.
def nbits(name, bits, asymmetric, k=72, n=6, size=32, typ=np.float32):
    rng = np.random.default_rng(bits + asymmetric)
    blocks = -(-k // size)
    b = rng.integers(0, 256, (n, blocks, size * bits // 8), dtype=np.uint8)
    s = (rng.random(n * blocks) * 0.1 + 0.01).astype(typ)
    init = [numpy_helper.from_array(b, "proj_Q4" if bits == 4 else "proj_Q8"), numpy_helper.from_array(s, "proj_scales")]
    inputs = ["a", init[0].name, "proj_scales"]
    if asymmetric:
        z = rng.integers(0, 256, (n * -(-blocks * bits // 8)), dtype=np.uint8)
        init.append(numpy_helper.from_array(z, "proj_zero_points"))
        inputs.append("proj_zero_points")
    node = helper.make_node("MatMulNBits", inputs, ["y"], "/model/proj/MatMul", domain="com.microsoft", K=k, N=n, bits=bits, block_size=size)
    t = T.FLOAT
    g = helper.make_graph([node], "g", [helper.make_tensor_value_info("a", t, [k, k])], [helper.make_tensor_value_info("y", t, [k, n])], init)
    m = helper.make_model(g, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)], ir_version=9)
    onnx.save(m, f"{OUT}/{name}.onnx")
    w = ort.InferenceSession(m.SerializeToString()).run(None, {"a": np.eye(k, dtype=np.float32)})[0].T
    note(name, [("proj", f"INT{bits}", w)])


nbits("nbits4", 4, False)
nbits("nbits4-zeros", 4, True)
nbits("nbits8", 8, False)


# Element types, as raw bytes and in typed fields; sub-byte types of odd counts.
def types():
    import ml_dtypes as ml

    rng = np.random.default_rng(7)
    tensors, expected, names = [], [], {}
    kinds = {
        "FLOAT": np.float32, "DOUBLE": np.float64, "FLOAT16": np.float16, "BFLOAT16": ml.bfloat16,
        "FLOAT8E4M3FN": ml.float8_e4m3fn, "FLOAT8E4M3FNUZ": ml.float8_e4m3fnuz, "FLOAT8E5M2": ml.float8_e5m2, "FLOAT8E5M2FNUZ": ml.float8_e5m2fnuz,
        "FLOAT8E8M0": ml.float8_e8m0fnu, "FLOAT4E2M1": ml.float4_e2m1fn,
        "BOOL": np.bool_, "UINT32": np.uint32, "INT32": np.int32, "UINT64": np.uint64, "INT64": np.int64,
    }
    dtype = {
        "FLOAT": "F32", "DOUBLE": "F64", "FLOAT16": "F16", "BFLOAT16": "BF16", "FLOAT8E4M3FN": "F8_E4M3", "FLOAT8E4M3FNUZ": "F8_E4M3FNUZ",
        "FLOAT8E5M2": "F8_E5M2", "FLOAT8E5M2FNUZ": "F8_E5M2FNUZ", "FLOAT8E8M0": "F8_E8M0", "FLOAT4E2M1": "F4",
        "BOOL": "BOOL", "UINT32": "U32", "INT32": "I32", "UINT64": "U64", "INT64": "I64",
    }
    for kind, np_type in kinds.items():
        for raw in [True, False]:
            name = f"{kind.lower()}.{'raw' if raw else 'typed'}"
            if kind in ("UINT32", "INT32", "UINT64", "INT64"):
                a = rng.integers(0 if kind[0] == "U" else -1000, 100000, (3, 7)).astype(np_type)
            elif kind == "BOOL":
                a = rng.integers(0, 2, (3, 7)).astype(bool)
            elif kind == "FLOAT8E8M0":
                a = rng.integers(0, 255, (3, 7), dtype=np.uint8).view(np_type)
            else:
                a = (rng.standard_normal((3, 7)) * 2).astype(np.float32).astype(np_type)
            if raw:
                t = numpy_helper.from_array(a, name)
            else:
                flat = a.flatten()
                vals = flat.astype(np.float32).tolist() if kind.startswith(("FLOAT", "BFLOAT")) and kind != "FLOAT" else flat.tolist()
                t = helper.make_tensor(name, getattr(T, kind), a.shape, vals, raw=False)
            back = numpy_helper.to_array(t)
            tensors.append(t)
            expected.append((name, dtype[kind], back.astype(np.float32)))
    nodes = [helper.make_node("Identity", [t.name], [f"out_{i}"]) for i, t in enumerate(tensors)]
    # A Constant node, a list of floats, and a subgraph that has a weight of its own.
    c = helper.make_node("Constant", [], ["held.weight"], value=numpy_helper.from_array(np.arange(6, dtype=np.float32).reshape(2, 3)))
    l = helper.make_node("Constant", [], ["listed.weight"], value_floats=[0.5, -2.0, 3.25])
    w = numpy_helper.from_array(rng.standard_normal((2, 2)).astype(np.float32), "inner.weight")
    branch = lambda: helper.make_graph([helper.make_node("Identity", ["inner.weight"], ["z"])], "b", [], [helper.make_tensor_value_info("z", T.FLOAT, [2, 2])], [w])
    i = helper.make_node("If", ["cond"], ["zz"], "choice", then_branch=branch(), else_branch=helper.make_graph([helper.make_node("Identity", ["held.weight"], ["z2"])], "e", [], [helper.make_tensor_value_info("z2", T.FLOAT, None)]))
    g = helper.make_graph(nodes + [c, l, i], "types", [helper.make_tensor_value_info("cond", T.BOOL, [])], [helper.make_tensor_value_info("zz", T.FLOAT, None)], tensors)
    onnx.save(helper.make_model(g, ir_version=11, opset_imports=[helper.make_opsetid("", 24)]), f"{OUT}/types.onnx")
    expected += [("held.weight", "F32", numpy_helper.to_array(c.attribute[0].t)), ("listed.weight", "F32", np.array([0.5, -2, 3.25], np.float32)), ("inner.weight", "F32", numpy_helper.to_array(w))]
    note("types", expected)


types()


# DequantizeLinear as onnx's reference evaluator computes it.
def linear():
    import ml_dtypes as ml
    from onnx.reference import ReferenceEvaluator

    rng = np.random.default_rng(9)
    nodes, init, outs = [], [], []

    def add(name, q, s, z=None, **attrs):
        init.append(numpy_helper.from_array(q, name))
        init.append(numpy_helper.from_array(s, name + "/s"))
        inputs = [name, name + "/s"]
        if z is not None:
            init.append(numpy_helper.from_array(z, name + "/z"))
            inputs.append(name + "/z")
        nodes.append(helper.make_node("DequantizeLinear", inputs, [name + "/y"], **attrs))
        outs.append(name)

    f = lambda *n: (rng.random(n) * 0.1 + 0.01).astype(np.float32)
    i8 = lambda *n: rng.integers(-128, 128, n, dtype=np.int8)
    u8 = lambda *n: rng.integers(0, 256, n, dtype=np.uint8)
    add("whole.i8", i8(4, 6), f(1)[0])
    add("whole.u8", u8(4, 6), f(1)[0], u8(1)[0])
    add("rows.i8", i8(4, 6), f(4), i8(4), axis=0)
    add("columns.u8", u8(4, 6), f(6), u8(6), axis=-1)
    add("channels.i8", i8(3, 4, 2), f(4), axis=1)
    add("i16", rng.integers(-2000, 2000, (3, 5), dtype=np.int16), f(1)[0])
    add("i32", rng.integers(-200000, 200000, (3, 5), dtype=np.int32), f(3), axis=0)
    add("blocks.i8", i8(4, 10), f(4, 3), i8(4, 3), axis=1, block_size=4)
    add("blocks.u4", rng.integers(0, 16, (4, 9)).astype(ml.uint4), f(4, 3), rng.integers(0, 16, (4, 3)).astype(ml.uint4), axis=1, block_size=3)
    add("rows.i4", rng.integers(-8, 8, (5, 7)).astype(ml.int4), f(5), axis=0)
    add("blocks0.i4", rng.integers(-8, 8, (6, 5)).astype(ml.int4), f(2, 5), axis=0, block_size=3)
    add("f8", (rng.standard_normal((4, 6))).astype(ml.float8_e4m3fn), f(1)[0])
    g = helper.make_graph(nodes, "linear", [], [helper.make_tensor_value_info(n + "/y", T.FLOAT, None) for n in outs], init)
    m = helper.make_model(g, ir_version=11, opset_imports=[helper.make_opsetid("", 23)])
    onnx.save(m, f"{OUT}/linear.onnx")
    ys = ReferenceEvaluator(m).run(None, {})
    note("linear", list(zip(outs, ["INT8", "INT8", "INT8", "INT8", "INT8", "INT16", "INT32", "INT8", "INT4", "INT4", "INT4", "FP8"], ys)))


linear()


def sklearn():
    """Operators of ai.onnx.ml hold their weights as attributes. The reference is what scikit-learn fitted."""
    from skl2onnx import to_onnx
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVR

    rng = np.random.default_rng(10)
    x = rng.normal(size=(60, 5)).astype(np.float32) * 3 + 1
    m = make_pipeline(StandardScaler(), LogisticRegression()).fit(x, x[:, 0] > 1)
    with open(f"{OUT}/sklearn.onnx", "wb") as f:
        f.write(to_onnx(m, x[:1]).SerializeToString())
    scaler, linear = m.steps[0][1], m.steps[1][1]
    both = lambda a: np.concatenate([-a.ravel(), a.ravel()]).astype(np.float32)
    note("sklearn", [("variable.offset.0", "F32", scaler.mean_.astype(np.float32)), ("variable.scale.1", "F32", (1 / scaler.scale_).astype(np.float32)),
                     ("label.coefficients.0", "F32", both(linear.coef_)), ("label.intercepts.1", "F32", both(linear.intercept_))])
    v = SVR().fit(x, x[:, 1])
    with open(f"{OUT}/vectors.onnx", "wb") as f:
        f.write(to_onnx(v, x[:1]).SerializeToString())
    note("vectors", [("SVM03.support_vectors.3", "F32", v.support_vectors_.astype(np.float32).ravel()), ("SVM03.coefficients.0", "F32", v.dual_coef_.astype(np.float32).ravel())])


sklearn()
