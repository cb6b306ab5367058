"""Makes the arrays of this folder with NumPy itself.

    python3 -m venv /tmp/v && /tmp/v/bin/pip install numpy
    /tmp/v/bin/python make.py ..

Every NAME.npz or NAME.npy has NAME.json (names, types, shapes) and NAME.f32
(all values in that order, little-endian float32).
"""

import json
import sys

import numpy as np

OUT = sys.argv[1]
NAMES = {"f2": "F16", "f4": "F32", "f8": "F64", "i1": "I8", "i2": "I16", "i4": "I32", "i8": "I64", "u1": "U8", "u2": "U16", "u4": "U32", "u8": "U64", "b1": "BOOL", "c8": "C64", "c16": "C128"}


def note(name, arrays):
    with open(f"{OUT}/{name}.json", "w") as f:
        json.dump([{"name": k, "dtype": NAMES[a.dtype.str[1:]], "shape": list(a.shape)} for k, a in arrays.items()], f, indent=0)
    with open(f"{OUT}/{name}.f32", "wb") as f:
        for a in arrays.values():
            a = np.ascontiguousarray(a).astype(a.dtype.newbyteorder("="))
            if a.dtype.kind == "c":
                a = a.view(np.float32 if a.dtype.itemsize == 8 else np.float64)
            f.write(a.astype("<f4").tobytes())


rng = np.random.default_rng(1)
arrays = {}
for order in "<>":
    for kind in NAMES:
        d = np.dtype(order + kind)
        a = (rng.standard_normal((3, 4, 2)) * 50 + 60).astype(d)
        arrays[f"{'little' if order == '<' else 'big'}.{kind}"] = a
        arrays[f"{'little' if order == '<' else 'big'}.{kind}.fortran"] = np.asfortranarray((rng.standard_normal((3, 4, 2)) * 50 + 60).astype(d))
arrays["scalar"] = np.float32(2.5).reshape(())
arrays["line"] = np.arange(5, dtype=np.float32)
arrays["empty"] = np.zeros((0, 4), np.float32)
arrays["params/dense/kernel"] = rng.standard_normal((4, 3)).astype(np.float32)
np.savez(f"{OUT}/types.npz", **arrays)
note("types", {k: np.asarray(v) for k, v in arrays.items()})
few = {k: arrays[k] for k in ["little.f4", "big.f8.fortran", "params/dense/kernel"]} | {"long": np.repeat(np.arange(3000, dtype=np.float32), 3).reshape(3, 3000)}
np.savez_compressed(f"{OUT}/compressed.npz", **few)
note("compressed", few)
np.save(f"{OUT}/single.npy", arrays["little.f4.fortran"])
note("single", {"array": arrays["little.f4.fortran"]})
with open(f"{OUT}/version3.npy", "wb") as f:
    np.lib.format.write_array(f, arrays["line"], version=(3, 0))
note("version3", {"array": arrays["line"]})
np.savez(f"{OUT}/refused-object.npz", a=np.array([{}, 1], dtype=object))
np.save(f"{OUT}/refused-record.npy", np.zeros(3, dtype=[("a", "<f4"), ("b", "<i4")]))
np.savez(f"{OUT}/text.npz", text=np.array(["ab", "c"]), w=np.ones(2, np.float32), void=np.zeros(4, "V2"))
