"""Quantises float32 values with ggml's own code, as a judge for tests.

    ggml.py LIBRARY JOBS

LIBRARY is a libggml-base.so, such as the one in a pywhispercpp wheel. Each line
of the file JOBS is a job: TYPE-NUMBER ROWS COLUMNS VALUES.f32 IMPORTANCE.f32|- OUT,
separated by tabs; OUT receives the raw blocks.
"""
import array
import ctypes
import os
import sys

lib = ctypes.CDLL(sys.argv[1], mode=os.RTLD_LAZY)
lib.ggml_quantize_chunk.restype = ctypes.c_size_t
lib.ggml_quantize_chunk.argtypes = [
    ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p,
    ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p]


def floats(path):
    if path == "-":
        return None
    a = array.array("f")
    with open(path, "rb") as f:
        a.frombytes(f.read())
    return a


def address(a):
    return None if a is None else a.buffer_info()[0]


for line in open(sys.argv[2]):
    kind, rows, cols, values, importance, out = line.rstrip("\n").split("\t")
    x, w = floats(values), floats(importance)
    dst = (ctypes.c_uint8 * (4 * len(x)))()
    n = lib.ggml_quantize_chunk(int(kind), address(x), dst, 0, int(rows), int(cols), address(w))
    with open(out, "wb") as f:
        f.write(bytes(dst)[:n])
