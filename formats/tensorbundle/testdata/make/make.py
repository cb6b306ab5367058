"""Makes a SavedModel's variables and a TF1 checkpoint with TensorFlow itself.

    python3 -m venv /tmp/v && /tmp/v/bin/pip install tensorflow
    /tmp/v/bin/python make.py ..

NAME.json says what tf.train.load_checkpoint reads of each variable.
"""

import glob
import hashlib
import json
import os
import shutil
import sys
import tempfile

import numpy as np
import tensorflow as tf

OUT = sys.argv[1]
TYPES = {"float32": "F32", "float16": "F16", "bfloat16": "BF16", "float64": "F64", "int32": "I32", "int64": "I64", "uint8": "U8", "int8": "I8", "bool": "BOOL", "complex64": "C64",
         "float8_e4m3fn": "F8_E4M3", "int16": "I16", "uint16": "U16"}


def describe(name, prefix, left=lambda n: False):
    r = tf.train.load_checkpoint(prefix)
    out = []
    for key, dtype in sorted(r.get_variable_to_dtype_map().items()):
        if dtype == tf.string or left(key):
            continue
        x = r.get_tensor(key)
        f = x.view(np.float32) if dtype == tf.complex64 else x.astype(np.float32)
        out.append({"name": key.removesuffix("/.ATTRIBUTES/VARIABLE_VALUE"), "dtype": TYPES[dtype.name], "shape": list(x.shape), "f32_sha256": hashlib.sha256(np.ascontiguousarray(f).tobytes()).hexdigest()})
    json.dump(out, open(f"{OUT}/{name}.json", "w"), indent=0)
    for path in glob.glob(prefix + ".*"):
        shutil.copy(path, f"{OUT}/{name}{path[len(prefix):]}")


g = np.random.default_rng(5)
with tempfile.TemporaryDirectory() as d:
    class Model(tf.Module):
        def __init__(self):
            self.kernels = [tf.Variable(g.standard_normal((4, 3 + i)).astype(np.float32)) for i in range(40)]
            self.half = tf.Variable(tf.cast(g.standard_normal((3, 2)), tf.float16))
            self.brain = tf.Variable(tf.cast(g.standard_normal((5,)), tf.bfloat16))
            self.double = tf.Variable(g.standard_normal(()))
            self.number = tf.Variable(np.arange(6).reshape(2, 3).astype(np.int64))
            self.flag = tf.Variable([True, False])
            self.none = tf.Variable(np.zeros((0, 4), np.float32))

        @tf.function(input_signature=[tf.TensorSpec([4])])
        def __call__(self, x):
            return tf.linalg.matvec(self.kernels[0], x, transpose_a=True)

    tf.saved_model.save(Model(), d)
    describe("variables", f"{d}/variables/variables")

with tempfile.TemporaryDirectory() as d:
    v1 = tf.compat.v1
    with v1.Graph().as_default(), v1.Session() as s:
        for layer in range(2):
            for part in ("query", "key"):
                v1.get_variable(f"bert/encoder/layer_{layer}/attention/self/{part}/kernel", initializer=g.standard_normal((4, 4)).astype(np.float32))
        v1.get_variable("bert/encoder/layer_0/attention/self/query/kernel/adam_m", initializer=np.zeros((4, 4), np.float32))
        v1.train.get_or_create_global_step()
        s.run(v1.global_variables_initializer())
        v1.train.Saver().save(s, f"{d}/model.ckpt", write_meta_graph=False)
    describe("model.ckpt", f"{d}/model.ckpt", lambda n: n.endswith("adam_m") or n == "global_step")
