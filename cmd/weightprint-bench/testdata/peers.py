"""Does the work that weightprint-bench measures, with programs of others.

    peers.py ggml LIBRARY      decoders of libggml-base.so, as wheels of pywhispercpp ship it
    peers.py gguf              decoders of gguf-py
    peers.py safetensors       names and shapes of all files in the folder
    peers.py awm               compares the models in the folders a and b by AWM
    peers.py faiss N BITS TIMES  searches N binary vectors for the ten nearest, so often
    peers.py signing           hashes the folder as model_signing does before it signs

The last three say what their work took, without the start of Python. Decoders read lines TYPE SYMBOL VALUES TIMES FILE, tab between, and answer each with
processor seconds, or nan where they have no such type.
"""
import ctypes
import glob
import json
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


def taken(work):
    """Runs work and prints what it found and the processor seconds that it took."""
    begun = time.process_time()
    found = work()
    print(json.dumps({"found": str(found), "cpu": time.process_time() - begun}))


def awm():
    """AWM, from its description: dimensions of the embeddings are assigned to one another,
    with signs, and attention is compared under this assignment by unbiased linear CKA
    (Zeng et al., AWM: Accurate Weight-Matrix Fingerprint for Large Language Models,
    arXiv:2510.06738)."""
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    class Model:
        def __init__(self, path):
            size = int(np.fromfile(path, "<u8", 1)[0])
            with open(path, "rb") as f:
                self.tensors = json.loads(f.read(8 + size)[8:])
            self.bytes = np.memmap(path, np.uint8, "r", offset=8 + size)

        def get(self, name):  # of bfloat16
            t = self.tensors[name]
            first, last = t["data_offsets"]
            halves = self.bytes[first:last].view(np.uint16).reshape(t["shape"])
            return (halves.astype(np.uint32) << 16).view(np.float32)

    def unit_columns(x):
        x = np.ascontiguousarray(x.T)
        return x / np.linalg.norm(x, axis=1, keepdims=True)

    def hsic(k, m):
        n, a, b = len(k), k.sum(1), m.sum(1)
        inner = np.vdot(k, m) + a.sum() * b.sum() / ((n - 1) * (n - 2)) - 2 * np.dot(a, b) / (n - 2)
        return inner / (n * (n - 3))

    def cka(x, y):
        k, m = x @ x.T, y @ y.T
        np.fill_diagonal(k, 0)
        np.fill_diagonal(m, 0)
        return hsic(k, m) / np.sqrt(hsic(k, k) * hsic(m, m))

    def work():
        a, b = Model("a/model.safetensors"), Model("b/model.safetensors")
        embedding = "model.embed_tokens.weight"
        cosines = unit_columns(a.get(embedding)) @ unit_columns(b.get(embedding)).T
        rows, cols = linear_sum_assignment(np.abs(cosines), maximize=True)
        signs = np.sign(cosines[rows, cols])
        names = [n for n in a.tensors if n.endswith(("q_proj.weight", "k_proj.weight"))]
        return np.mean([cka(a.get(n).T, (b.get(n)[:, cols] * signs).T) for n in names])

    taken(work)


def faiss(records, bits, times):
    import faiss
    import numpy as np

    faiss.omp_set_num_threads(1)
    r = np.random.default_rng(0)
    index = faiss.IndexBinaryFlat(int(bits))
    index.add(r.integers(0, 256, (int(records), int(bits) // 8), dtype=np.uint8))
    asked = r.integers(0, 256, (int(times), int(bits) // 8), dtype=np.uint8)
    taken(lambda: [index.search(asked[i : i + 1], 10)[1][0][0] for i in range(int(times))][0])


def signing():
    import pathlib

    from model_signing import hashing

    taken(lambda: len(list(hashing.Config().hash(pathlib.Path(".")).resource_descriptors())))


if __name__ == "__main__":
    {"ggml": ggml, "gguf": gguf, "safetensors": safetensors, "awm": awm, "faiss": faiss, "signing": signing}[sys.argv[1]](*sys.argv[2:])
