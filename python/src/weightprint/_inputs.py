"""Turns what Python calls a model into something that the program opens."""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import ExitStack
from typing import Any, Mapping, Tuple, Union

from ._safetensors import save

# A model: a path; a reference that the program knows (hf:org/name, https://…,
# ollama:name); a hub id such as "org/name"; a state dict; anything with
# save_pretrained (transformers, PEFT, diffusers) or state_dict (torch); or a pair of a
# model and its tokenizer.
Model = Union[str, "os.PathLike[str]", Mapping[str, Any], Tuple[Any, Any], Any]

_HUB = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*(@[\w./-]+)?")


def reference(model: Model, stack: ExitStack) -> str:
    """The reference of a model. What is in memory goes into a temporary folder."""
    if isinstance(model, (str, os.PathLike)):
        return _named(os.fspath(model))
    if isinstance(model, tuple) and len(model) == 2:
        folder = _saved(model[0], stack)
        if folder is None or not hasattr(model[1], "save_pretrained"):
            raise TypeError("a pair is a model and a tokenizer, both with save_pretrained")
        model[1].save_pretrained(folder)
        return folder
    folder = _saved(model, stack)
    if folder is not None:
        return folder
    if hasattr(model, "state_dict"):
        model = model.state_dict()
    if isinstance(model, Mapping):
        file = os.path.join(stack.enter_context(_folder()), "model.safetensors")
        save(model, file)
        return file
    raise TypeError(f"{type(model).__name__} is no model: a path, a hub id, a state dict, or something with save_pretrained or state_dict is")


def label(model: Model) -> str:
    """What a report calls a model: its reference, or the type of what lies in memory."""
    if isinstance(model, (str, os.PathLike)):
        return _named(os.fspath(model))
    return type(model[0] if isinstance(model, tuple) else model).__name__


def _named(name: str) -> str:
    """A path or reference as it is, a hub id as hf:org/name."""
    if not os.path.exists(name) and _HUB.fullmatch(name):
        return "hf:" + name
    return name


def _saved(model: Any, stack: ExitStack) -> Union[str, None]:
    """The folder that a model was saved to, with its configuration."""
    if isinstance(model, Mapping) or not hasattr(model, "save_pretrained"):
        return None
    folder = stack.enter_context(_folder())
    model.save_pretrained(folder)
    return folder


def _folder() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="weightprint-")
