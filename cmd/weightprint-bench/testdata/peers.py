"""Does the work that weightprint-bench measures, with programs of others.

    peers.py ggml LIBRARY      decoders of libggml-base.so, as wheels of pywhispercpp
                               ship it; reads lines SYMBOL VALUES TIMES FILE, tab
                               between, and answers each with processor seconds
"""
import ctypes
import os
import sys
import time


def ggml(library):
    lib = ctypes.CDLL(library, mode=os.RTLD_LAZY)
    for line in sys.stdin:
        symbol, values, times, path = line.rstrip("\n").split("\t")
        with open(path, "rb") as f:
            src = f.read()
        decode = getattr(lib, symbol)
        decode.restype, decode.argtypes = None, [ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int64]
        n = int(values)
        dst = (ctypes.c_float * n)()
        decode(src, dst, n)
        begun = time.process_time()
        for _ in range(int(times)):
            decode(src, dst, n)
        print(time.process_time() - begun, flush=True)


if __name__ == "__main__":
    {"ggml": ggml}[sys.argv[1]](*sys.argv[2:])
