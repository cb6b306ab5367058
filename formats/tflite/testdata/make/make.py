"""Makes the models of this folder with TensorFlow's converter.

    python3 -m venv /tmp/v && /tmp/v/bin/pip install tensorflow-cpu
    /tmp/v/bin/python make.py ..

Every NAME.tflite has NAME.json (names, types, shapes of the tensors that a
reader must list) and NAME.f32 (all values in that order, little-endian
float32): what the schema's own reader finds, quantised numbers as (q - z) * s.
"""

import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf
import flatbuffers
from tensorflow.lite.python import schema_py_generated as schema

OUT = sys.argv[1]
TYPES = {0: ("F32", "<f4"), 1: ("F16", "<f2"), 2: ("I32", "<i4"), 3: ("U8", "<u1"), 4: ("I64", "<i8"), 6: ("BOOL", "<u1"), 7: ("I16", "<i2"), 9: ("I8", "<i1"), 10: ("F64", "<f8"), 17: ("I4", None)}


def values(t, raw):
    name, code = TYPES[t.type]
    if code:
        return np.frombuffer(raw, code)
    b = np.frombuffer(raw, np.uint8)
    v = np.stack([b & 15, b >> 4], -1).reshape(-1)[: int(np.prod(t.shape))].astype(np.int8)
    return np.where(v > 7, v - 16, v)


def note(name, raw):
    m = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(raw, 0))
    listed, floats = [], b""
    for g in m.subgraphs:
        for t in g.tensors:
            buf = m.buffers[t.buffer]
            data = buf.data.tobytes() if buf.data is not None else b""
            if buf.offset and buf.offset > 1:
                data = raw[buf.offset : buf.offset + buf.size]
            if not data or t.type == 5:
                continue
            v = values(t, data).reshape(t.shape)
            q, kind = t.quantization, TYPES[t.type][0]
            integer = kind[0] in "IUB"
            if integer and q is not None and q.scale is not None and len(q.scale):
                s = np.asarray(q.scale, np.float32)
                z = np.asarray(q.zeroPoint if q.zeroPoint is not None and len(q.zeroPoint) else [0])
                if len(s) > 1:
                    shape = [1] * v.ndim
                    shape[q.quantizedDimension] = -1
                    s, z = s.reshape(shape), (z.reshape(shape) if len(z) > 1 else z)
                v = ((v.astype(np.int64) - z).astype(np.float32) * s).astype(np.float32)
                kind = {"I8": "INT8", "U8": "INT8", "I4": "INT4", "I16": "INT16", "I32": "INT32"}.get(kind, "F32")
            elif integer and (v.size <= 1 or v.ndim <= 1 and v.size <= 8):
                continue
            listed.append({"name": t.name.decode(), "dtype": kind, "shape": list(v.shape)})
            floats += np.ascontiguousarray(v).astype("<f4").tobytes()
    with open(f"{OUT}/{name}.tflite", "wb") as f:
        f.write(raw)
    json.dump(listed, open(f"{OUT}/{name}.json", "w"), indent=0)
    open(f"{OUT}/{name}.f32", "wb").write(floats)
    return m


tf.keras.utils.set_random_seed(1)
model = tf.keras.Sequential([
    tf.keras.layers.Input((8, 8, 3)),
    tf.keras.layers.Conv2D(16, 3, activation="relu"),
    tf.keras.layers.DepthwiseConv2D(3),
    tf.keras.layers.BatchNormalization(),
    tf.keras.layers.GlobalAveragePooling2D(),
    tf.keras.layers.Dense(80, activation="relu"),
    tf.keras.layers.Dense(16),
])
for w in model.weights:
    w.assign(tf.random.uniform(w.shape, 0.1, 1.0) if "variance" in w.name or len(w.shape) == 1 else tf.random.normal(w.shape) * 0.3)


def convert(**options):
    c = tf.lite.TFLiteConverter.from_keras_model(model)
    for k, v in options.items():
        setattr(c, k, v)
    return c.convert()


def samples():
    for _ in range(4):
        yield [tf.random.normal((1, 8, 8, 3))]


floating = note("float", convert())
note("dynamic", convert(optimizations=[tf.lite.Optimize.DEFAULT]))
half = tf.lite.TFLiteConverter.from_keras_model(model)
half.optimizations = [tf.lite.Optimize.DEFAULT]
half.target_spec.supported_types = [tf.float16]
note("half", half.convert())
note("static", convert(optimizations=[tf.lite.Optimize.DEFAULT], representative_dataset=samples))


# Four bits by row, and buffers behind the flatbuffer as models over 2 GiB have them.
def pack(m):
    b = flatbuffers.Builder(1024)
    b.Finish(m.Pack(b), b"TFL3")
    return bytes(b.Output())


m = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(bytes(open(f"{OUT}/float.tflite", "rb").read()), 0))
g = m.subgraphs[0]
w = next(t for t in g.tensors if len(t.shape) == 2 and m.buffers[t.buffer].data is not None and len(m.buffers[t.buffer].data))
w.shape = np.array([5, 7], np.int32)
rng = np.random.default_rng(3)
q = rng.integers(-8, 8, 36).astype(np.int8)
m.buffers[w.buffer].data = ((q[0::2] & 15) | ((q[1::2] & 15) << 4)).astype(np.uint8)
w.type = 17
w.quantization = schema.QuantizationParametersT()
w.quantization.scale = (rng.random(5) * 0.1).astype(np.float32)
w.quantization.zeroPoint = np.zeros(5, np.int64)
w.quantization.quantizedDimension = 0
note("int4", pack(m))

m = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(bytes(open(f"{OUT}/float.tflite", "rb").read()), 0))
held = []
for b in m.buffers:
    if b.data is not None and len(b.data) > 64:
        held.append((b, b.data.tobytes()))
        b.data, b.offset, b.size = None, 2, 2
for _ in range(2):
    raw = pack(m)
    at = -(-len(raw) // 16) * 16
    tail = b"\0" * (at - len(raw))
    for b, d in held:
        b.offset, b.size = at, len(d)
        tail += d
        at += len(d)
note("behind", pack(m) + tail)

# A matrix of which most is zero. What is expected of it is what was put in.
rng = np.random.default_rng(5)
thin = rng.standard_normal((24, 16)).astype("f4")
thin[rng.random(thin.shape) < 0.85] = 0
v = tf.Variable(thin.T)
f = tf.function(lambda x: tf.matmul(x, v), input_signature=[tf.TensorSpec([1, 16], tf.float32)])
holder = tf.Module()
holder.v = v
c = tf.lite.TFLiteConverter.from_concrete_functions([f.get_concrete_function()], holder)
c.optimizations = [tf.lite.Optimize.EXPERIMENTAL_SPARSITY]
with open(f"{OUT}/sparse.tflite", "wb") as out:
    out.write(c.convert())
with open(f"{OUT}/sparse.json", "w") as out:
    json.dump([{"name": "StatefulPartitionedCall:01", "dtype": "F32", "shape": [24, 16]}], out, indent=0)
    out.write("\n")
thin.astype("<f4").tofile(f"{OUT}/sparse.f32")

# The same in blocks of 1 × 4, which the converter finds by itself.
rng = np.random.default_rng(11)
dense = rng.standard_normal((16, 32)).astype("f4") * np.kron(rng.random((16, 8)) < 0.1, np.ones((1, 4))).astype("f4")
v = tf.Variable(dense.T)


@tf.function(input_signature=[tf.TensorSpec([1, 32], tf.float32)])
def g(x):
    return tf.matmul(x, v)


holder = tf.Module()
holder.g = g
holder.v = v
c = tf.lite.TFLiteConverter.from_concrete_functions([g.get_concrete_function()], holder)
c.optimizations = [tf.lite.Optimize.EXPERIMENTAL_SPARSITY]
blocks = c.convert()
i = tf.lite.Interpreter(model_content=blocks)
(found,) = [t for t in i.get_tensor_details() if t["sparsity_parameters"]]
assert list(found["sparsity_parameters"]["block_map"]) == [1], found
i.allocate_tensors()
columns = []
for k in range(32):  # what the interpreter multiplies by
    i.set_tensor(i.get_input_details()[0]["index"], np.eye(32, dtype="f4")[k : k + 1])
    i.invoke()
    columns.append(i.get_tensor(i.get_output_details()[0]["index"])[0].copy())
with open(f"{OUT}/blocks.tflite", "wb") as out:
    out.write(blocks)
with open(f"{OUT}/blocks.json", "w") as out:
    json.dump([{"name": found["name"], "dtype": "F32", "shape": [16, 32]}], out, indent=0)
    out.write("\n")
np.stack(columns, 1).astype("<f4").tofile(f"{OUT}/blocks.f32")
