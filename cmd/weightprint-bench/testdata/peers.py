"""Does the work that weightprint-bench measures, with programs of others.

    peers.py ggml LIBRARY      decoders of libggml-base.so, as wheels of pywhispercpp ship it
    peers.py gguf              decoders of gguf-py
    peers.py safetensors       names and shapes of all files in the folder

Decoders read lines TYPE SYMBOL VALUES TIMES FILE, tab between, and answer each with
processor seconds, or nan where they have no such type.
"""
import ctypes
import glob
import os
import sys
import time


def answer(decoder, most=1 << 30):
    for line in sys.stdin:
        name, symbol, values, times, path = line.rstrip("\n").split("\t")
        with open(path, "rb") as f:
            decode = decoder(name, symbol, f.read(), int(values))
        if decode is None:
            print("nan", flush=True)
            continue
        decode()
        n = min(int(times), most)
        begun = time.process_time()
        for _ in range(n):
            decode()
        print((time.process_time() - begun) * int(times) / n, flush=True)


def ggml(library):
    lib = ctypes.CDLL(library, mode=os.RTLD_LAZY)

    def decoder(name, symbol, src, n):
        f = getattr(lib, symbol, None)
        if f is None:
            return None
        f.restype, f.argtypes = None, [ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int64]
        dst = (ctypes.c_float * n)()
        return lambda: f(src, dst, n)

    answer(decoder)


def gguf():
    import gguf
    import numpy

    def decoder(name, symbol, src, n):
        kind = getattr(gguf.GGMLQuantizationType, name, None)
        data = numpy.frombuffer(src, dtype=numpy.uint8)
        try:
            gguf.quants.dequantize(data, kind)
        except (NotImplementedError, AttributeError, ValueError, TypeError):
            return None
        return lambda: gguf.quants.dequantize(data, kind)

    answer(decoder, most=4)


def safetensors():
    from safetensors import safe_open

    for path in sorted(glob.glob("*.safetensors")):
        with safe_open(path, framework="numpy") as f:
            for name in f.keys():
                f.get_slice(name).get_shape()


if __name__ == "__main__":
    {"ggml": ggml, "gguf": gguf, "safetensors": safetensors}[sys.argv[1]](*sys.argv[2:])
