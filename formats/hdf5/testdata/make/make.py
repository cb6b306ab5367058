"""Makes the files of this folder with h5py and Keras.

    python3 -m venv /tmp/v && /tmp/v/bin/pip install h5py numpy ml_dtypes keras torch
    KERAS_BACKEND=torch /tmp/v/bin/python make.py ..

Every NAME.h5 or NAME.keras has NAME.json (names, types, shapes, digest of the
little-endian bytes) and NAME.f32 (all values in the order of the JSON, as
little-endian float32), as h5py reads them.
"""

import hashlib
import json
import os
import sys
import zipfile

import h5py
import ml_dtypes
import numpy as np

OUT = sys.argv[1]
DTYPES = {"float64": "F64", "float32": "F32", "float16": "F16", "bool": "BOOL", "bfloat16": "BF16"}
DTYPES.update({f"{u}int{n}": f"{u.upper() or 'I'}{n}" for u in ("u", "") for n in (8, 16, 32, 64)})


def expect(name, file, drop=(), strip=""):
    rows, values = [], b""

    def visit(path, o):
        nonlocal values
        if isinstance(o, h5py.Group):
            for k in o:
                visit(f"{path}/{k}" if path else k, o[k])
            return
        if not isinstance(o, h5py.Dataset) or path.startswith(tuple(drop)) or o.dtype.kind in "SO" or o.shape is None:
            return
        a = o[()]
        if o.attrs.get("dtype") == "bfloat16":
            a = np.asarray(a).view(ml_dtypes.bfloat16)
        a = np.asarray(a)
        label = DTYPES[a.dtype.name]
        little = np.ascontiguousarray(a.astype(a.dtype.newbyteorder("<")) if a.dtype.byteorder == ">" else a)
        rows.append({"name": path.removeprefix(strip), "dtype": label, "shape": list(a.shape), "raw_sha256": hashlib.sha256(little.tobytes()).hexdigest()})
        values += little.astype("<f4").tobytes()
    visit("", file)
    with open(os.path.join(OUT, os.path.splitext(name)[0] + ".json"), "w") as f:
        json.dump({"file": name, "tensors": rows}, f, indent=1)
        f.write("\n")
    with open(os.path.join(OUT, os.path.splitext(name)[0] + ".f32"), "wb") as f:
        f.write(values)


def write(name, fill, **kw):
    path = os.path.join(OUT, name)
    drop, strip = kw.pop("drop", ()), kw.pop("strip", "")
    with h5py.File(path, "w", **kw) as f:
        fill(f)
    with h5py.File(path) as f:
        expect(name, f, drop, strip)


def types(f):
    g = np.random.default_rng(1)
    for n in (1, 2, 4, 8):
        for k in "iu":
            f[f"int/{k}{n}"] = g.integers(0, 256, 24 * n, dtype=np.uint8).view(f"<{k}{n}").reshape(4, 6)
            f[f"big/{k}{n}"] = g.integers(0, 256, 24 * n, dtype=np.uint8).view(f">{k}{n}").reshape(4, 6)
    for n in (2, 4, 8):
        f[f"float/f{n}"] = g.standard_normal((3, 5)).astype(f"<f{n}")
        f[f"big/f{n}"] = g.standard_normal((3, 5)).astype(f">f{n}")
    f["bool"] = np.array([True, False, True])
    b = f.create_dataset("bf16", data=g.standard_normal((3, 4)).astype(ml_dtypes.bfloat16))
    b.attrs["dtype"] = "bfloat16"
    f["scalar"] = np.float32(2.5)
    f["empty"] = np.zeros((0, 3), np.float32)
    f["text"] = "a text"
    f["texts"] = np.array([b"a", b"bc"])
    f.create_dataset("null", dtype="f4", shape=None)


def layouts(f):
    g = np.random.default_rng(2)
    a = g.standard_normal((37, 23)).astype("f4")
    f["contiguous"] = a
    f.create_dataset("chunked", data=a, chunks=(8, 5))
    f.create_dataset("gzip", data=a, chunks=(8, 23), compression="gzip")
    f.create_dataset("shuffled", data=a, chunks=(37, 5), compression="gzip", shuffle=True)
    f.create_dataset("checked", data=a, chunks=(9, 9), fletcher32=True, shuffle=True, compression="gzip", compression_opts=9)
    f.create_dataset("checked-odd", data=np.arange(7, dtype="u1"), chunks=(7,), fletcher32=True)
    f.create_dataset("cube", data=g.standard_normal((5, 6, 7, 3)), chunks=(2, 4, 3, 3), compression="gzip")
    f.create_dataset("line", data=np.arange(1000, dtype="i4"), chunks=(64,), compression="gzip", shuffle=True)
    d = f.create_dataset("sparse", (20, 6), "f4", chunks=(4, 3))
    d[5:7, 1:4] = 1
    f.create_dataset("unwritten", (4, 3), "f2")
    s = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    s.set_layout(h5py.h5d.COMPACT)
    c = h5py.h5d.create(f.id, b"compact", h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple((4, 3)), s)
    c.write(h5py.h5s.ALL, h5py.h5s.ALL, a[:4, :3].copy())
    grown = f.create_dataset("grown", data=a[:10], maxshape=(None, 23), chunks=(4, 23))
    grown.resize((6, 23))
    f["same"] = f["contiguous"]


def latest(f):
    g = np.random.default_rng(3)
    a = g.standard_normal((12, 7)).astype("f4")
    f["contiguous"] = a
    f.create_dataset("single", data=a, chunks=(12, 7), compression="gzip")
    f.create_dataset("single-plain", data=a, chunks=(12, 7))
    for i in range(30):
        f[f"many/{i:03}/of a name that is long enough to fill blocks"] = np.float32(i)
    for i in range(260):
        f[f"wide/member {i} with a long name"] = np.int16(i)
    f["few/a/b"] = a[:2]


def keras_models():
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras
    keras.utils.set_random_seed(4)
    m = keras.Sequential([keras.layers.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, name="conv"), keras.layers.BatchNormalization(name="norm"),
                          keras.layers.Flatten(), keras.layers.Dense(5, name="dense", dtype="bfloat16")])
    m.compile("adam", "mse")
    m.fit(np.ones((2, 8, 8, 3), "f4"), np.ones((2, 5), "f4"), verbose=0)
    m.save(os.path.join(OUT, "model.keras"))
    with zipfile.ZipFile(os.path.join(OUT, "model.keras")) as z, z.open("model.weights.h5") as w, h5py.File(w) as f:
        expect("model.keras", f, ("optimizer/",))
    m.save_weights(os.path.join(OUT, "saved.weights.h5"))
    with h5py.File(os.path.join(OUT, "saved.weights.h5")) as f:
        expect("saved.weights.h5", f, ("optimizer/",))
    legacy = keras.Sequential([keras.layers.Input((6,)), keras.layers.Dense(4, name="first"), keras.layers.Dense(2, name="second")])
    legacy.compile("adam", "mse")
    legacy.fit(np.ones((2, 6), "f4"), np.ones((2, 2), "f4"), verbose=0)
    legacy.save(os.path.join(OUT, "legacy.h5"))
    with h5py.File(os.path.join(OUT, "legacy.h5")) as f:
        expect("legacy.h5", f, ("optimizer_weights/",), "model_weights/")


def tf_model(f):
    """The layout of transformers' tf_model.h5."""
    g = np.random.default_rng(5)
    names = ["tf_bert_model/bert/embeddings/word_embeddings/weight:0", "tf_bert_model/bert/encoder/layer_._0/attention/self/query/kernel:0", "tf_bert_model/bert/encoder/layer_._0/attention/self/query/bias:0"]
    f.attrs["layer_names"] = [b"bert"]
    layer = f.create_group("bert")
    layer.attrs["weight_names"] = [n.encode() for n in names]
    for n, s in zip(names, ((11, 4), (4, 6), (6,))):
        layer.create_dataset(n, data=g.standard_normal(s).astype("f4"))


def refused():
    folder = os.path.join(OUT, "refused")
    os.makedirs(folder, exist_ok=True)
    a = np.arange(60, dtype="f4").reshape(12, 5)

    def put(name, fill, **kw):
        with h5py.File(os.path.join(folder, name), "w", **kw) as f:
            fill(f)
    put("lzf.h5", lambda f: f.create_dataset("w", data=a, chunks=(4, 5), compression="lzf"))
    put("scale-offset.h5", lambda f: f.create_dataset("w", data=a.astype("i4"), chunks=(4, 5), scaleoffset=0))
    put("fixed-array.h5", lambda f: f.create_dataset("w", data=a, chunks=(4, 5)), libver="latest")
    put("extensible-array.h5", lambda f: f.create_dataset("w", data=a, chunks=(4, 5), maxshape=(None, 5)), libver="latest")
    put("fill.h5", lambda f: f.create_dataset("w", (4, 3), "f4", fillvalue=3))
    put("texts.h5", lambda f: f.create_dataset("w", data=[b"a"]))
    put("compound.h5", lambda f: f.create_dataset("w", data=np.zeros(3, [("a", "f4"), ("b", "i4")])))
    put("user-block.h5", lambda f: f.create_dataset("w", data=a), userblock_size=512)
    put("external.h5", lambda f: f.create_dataset("w", data=a, external=[("/dev/null", 0, 240)]))

    def cycle(f):
        f["g/w"] = a
        f["g/again"] = f["g"]
    put("cycle.h5", cycle)
    put("big-chunks.h5", lambda f: f.create_dataset("w", (1 << 14, 1 << 13), "f4", chunks=(1 << 13, 1 << 12)))
    put("huge.h5", lambda f: f.create_dataset("w", (1 << 20, 1 << 20), "f4", chunks=(256, 256)))


write("types.h5", types)
write("layouts.h5", layouts)
write("latest.h5", latest, libver="latest")
write("ordered.h5", latest, track_order=True)
write("v110.h5", lambda f: f.create_dataset("w", data=np.arange(6.0)), libver=("v110", "v110"))
write("tf_model.h5", tf_model)
keras_models()
refused()
