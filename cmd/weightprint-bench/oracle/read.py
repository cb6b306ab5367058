"""Reads files with the library of their format: a length of 4 bytes and a file at
a time from standard input, a line of JSON for each on standard output. "refused" is
why the library would not have it, "tensors" are name, shape and a digest of the
values as float32, or null where the library has no such values."""
import hashlib
import importlib
import io
import json
import math
import os
import signal
import struct
import sys
import tempfile
import warnings

warnings.simplefilter("ignore")
MOST = 1 << 16  # values of a tensor
LONG = 1  # seconds of the processor for one file


def digest(values):
    import numpy

    x = numpy.ascontiguousarray(values, dtype="<f4")
    if numpy.isnan(x).any():
        return "nan"  # which of the many, formats do not say
    return hashlib.sha256(x.tobytes()).hexdigest()


def of_torch(name, t):
    import torch

    plain = t.layout == torch.strided and not t.is_quantized and not t.is_complex() and t.device.type == "cpu"
    small = plain and math.prod(t.shape) <= MOST
    return [name, list(t.shape), digest(t.detach().to(torch.float32).numpy()) if small else None]


def safetensors(b):
    from safetensors.torch import load

    return [of_torch(k, v) for k, v in load(b).items()]


def torch(b):
    import torch as library

    state = library.load(io.BytesIO(b), map_location="cpu", weights_only=True)
    if not isinstance(state, dict) or not all(isinstance(k, str) and isinstance(v, library.Tensor) for k, v in state.items()):
        return None  # more than a table of tensors: names are the reader's choice
    return [of_torch(k, v) for k, v in state.items()]


def gguf(b):
    import gguf as library

    with tempfile.NamedTemporaryFile(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as f:
        f.write(b)
        f.flush()
        out = []
        for t in library.GGUFReader(f.name).tensors:
            shape = [int(n) for n in reversed(t.shape.tolist())]
            value = None
            if math.prod(shape) <= MOST:
                try:
                    value = digest(library.quants.dequantize(t.data, t.tensor_type))
                except NotImplementedError:
                    pass
            out.append([t.name, shape, value])
        return out


def too_long(*_):
    raise TimeoutError(f"more than {LONG} s of the processor for one small file")


def main():
    signal.signal(signal.SIGPROF, too_long)
    read = globals()[sys.argv[1]]
    importlib.import_module({"safetensors": "safetensors.torch"}.get(sys.argv[1], sys.argv[1]))  # before the clock of the first file runs
    out, sys.stdout = sys.stdout, sys.stderr
    while len(head := sys.stdin.buffer.read(4)) == 4:
        b = sys.stdin.buffer.read(struct.unpack("<I", head)[0])
        signal.setitimer(signal.ITIMER_PROF, LONG)
        try:
            answer = {"tensors": read(b)}
        except ImportError:
            raise
        except BaseException as e:  # every refusal counts, panics of Rust too
            answer = {"refused": (type(e).__name__ + ": " + str(e))[:200]}
        signal.setitimer(signal.ITIMER_PROF, 0)
        print(json.dumps(answer), file=out, flush=True)


main()
