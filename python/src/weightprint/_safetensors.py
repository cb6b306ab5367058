"""Writes tensors of torch, numpy and jax as safetensors, bit for bit."""

from __future__ import annotations

import ctypes
import json
import sys
from typing import Any, BinaryIO, Dict, Mapping

# Names of types by those of torch and numpy (with ml_dtypes).
_TYPES = {
    "float64": "F64",
    "float32": "F32",
    "float16": "F16",
    "bfloat16": "BF16",
    "float8_e4m3fn": "F8_E4M3",
    "float8_e5m2": "F8_E5M2",
    "int64": "I64",
    "int32": "I32",
    "int16": "I16",
    "int8": "I8",
    "uint64": "U64",
    "uint32": "U32",
    "uint16": "U16",
    "uint8": "U8",
    "bool": "BOOL",
}


def save(tensors: Mapping[str, Any], file: str) -> None:
    """Writes a state dict. Tensors that share memory are written each for itself."""
    kept = [(name, _plain(name, value)) for name, value in tensors.items() if not _aside(name, value)]
    if not kept:
        raise ValueError("the state dict holds no tensor")
    header: Dict[str, Any] = {}
    at = 0
    for name, t in kept:
        size = _bytes(t)
        header[name] = {"dtype": _type(name, t), "shape": [int(n) for n in t.shape], "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(file, "wb") as out:
        out.write(len(text).to_bytes(8, "little"))
        out.write(text)
        for _, t in kept:
            _write(t, out)


def _aside(name: Any, value: Any) -> bool:
    """Tells what state dicts hold besides tensors: what modules call extra state."""
    return value is None or isinstance(name, str) and name.endswith("_extra_state")


def _torch(t: Any) -> bool:
    return type(t).__module__.split(".")[0] == "torch" or hasattr(t, "data_ptr")


def _plain(name: Any, value: Any) -> Any:
    """A tensor on this machine's memory, in row-major order."""
    if not isinstance(name, str):
        raise TypeError(f"the key {name!r} is no name of a tensor")
    if isinstance(value, Mapping):
        raise TypeError(f"{name!r} is itself a mapping; give that one, as in state[{name!r}]")
    if _torch(value):
        if getattr(value, "is_meta", False):
            raise ValueError(f"tensor {name!r} lies on the meta device and has no values")
        if getattr(value, "is_sparse", False) or getattr(value, "is_quantized", False):
            raise TypeError(f"tensor {name!r} is sparse or quantised; safetensors has no such type")
        return value.detach().cpu().contiguous()
    if not hasattr(value, "shape") or not hasattr(value, "dtype"):
        raise TypeError(f"{name!r} is a {type(value).__name__} and no tensor")
    import numpy  # only where no torch tensors are given

    array: Any = numpy.asarray(value)
    if array.dtype.byteorder == ">":
        array = array.astype(array.dtype.newbyteorder("<"))
    return numpy.asarray(array, order="C")


def _type(name: str, t: Any) -> str:
    word = str(t.dtype).split(".")[-1]
    if word not in _TYPES:
        raise TypeError(f"tensor {name!r} is of type {t.dtype}, which safetensors does not know")
    return _TYPES[word]


def _bytes(t: Any) -> int:
    return int(t.numel() * t.element_size() if _torch(t) else t.nbytes)


def _write(t: Any, out: BinaryIO) -> None:
    """Writes the values, little-endian."""
    if sys.byteorder != "little":
        raise OSError("saving models from memory needs a little-endian machine")
    n = _bytes(t)
    if n == 0:
        return
    if _torch(t):
        out.write((ctypes.c_char * n).from_address(t.data_ptr()))
    else:
        out.write(t.tobytes())
