"""The verbs."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from . import _program
from ._errors import FindingError, UndecidedError, by_code
from ._inputs import Model, label, reference
from ._progress import Progress, close, teller
from .report import Audit, Report, Tree

Path_ = Union[str, "os.PathLike[str]"]


def version() -> str:
    """The version of the program, with its policy and the system it was built for."""
    return _program.output(["version"]).strip()


def compare(
    a: Model,
    b: Model,
    *,
    budget: str = "64MiB",
    depth: str = "normal",
    nonce: Optional[str] = None,
    base: Optional[Model] = None,
    fail_on: Sequence[str] = (),
    lenient: bool = False,
    offline: bool = False,
    progress: Progress = None,
) -> Report:
    """Compares two models and returns what was found.

    `budget` is what is read of each ("64MiB", "full"), `depth` how far to go ("quick",
    "normal", "full"), `nonce` a text that nobody could foresee when the files were made,
    `base` what LoRA adapters among the two are applied to. A relation that `fail_on`
    names raises FindingError, or UndecidedError for "inconclusive", with the report.
    `progress` is a function, True or False; by default a bar is shown where tqdm is
    installed. Models in memory are written to a temporary folder first.
    """
    arguments = ["compare", "--json", f"--budget={budget}", f"--depth={depth}"]
    if nonce is not None:
        arguments.append(f"--nonce={nonce}")
    if fail_on:
        arguments.append(f"--fail-on={','.join(fail_on)}")
    arguments += _flags(lenient, offline)
    with ExitStack() as stack:
        at = [reference(a, stack), reference(b, stack)]
        if base is not None:
            arguments.append(f"--base={reference(base, stack)}")
        code, out, said = _told([*arguments, "--", *at], progress)
        report = Report(_named(out, dict(zip(at, (label(a), label(b)))))) if out.startswith("{") else None
    if code == 0 and report is not None:
        return report
    error = by_code(code, _program.words(said, "" if report else out))
    if report is not None and isinstance(error, (FindingError, UndecidedError)):
        error = type(error)(report.summary, report=report)
    raise error


def audit(
    model: Model,
    *,
    claim: Union[Mapping[str, Any], Path_, None] = None,
    parents: Sequence[Path_] = (),
    budget: str = "64MiB",
    nonce: Optional[str] = None,
    offline: bool = False,
    progress: Progress = None,
) -> Audit:
    """Holds a claimed lineage, or else the parents that the model's own files declare, against the weights.

    `claim` is a mapping such as {"parent": "base/", "kinds": ["fine-tuned"]}, or a JSON file with one.
    """
    arguments = ["audit", "--json", f"--budget={budget}", *_flags(False, offline)]
    arguments += [f"--parents={os.fspath(p)}" for p in parents]
    if nonce is not None:
        arguments.append(f"--nonce={nonce}")
    with ExitStack() as stack:
        if isinstance(claim, Mapping):
            file = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="weightprint-")), "claim.json")
            file.write_text(json.dumps({k: _path(v) for k, v in claim.items()}), "utf-8")
            claim = file
        if claim is not None:
            arguments.append(f"--claim={os.fspath(claim)}")
        at = reference(model, stack)
        code, out, said = _told([*arguments, "--", at], progress)
    if not out.startswith("{"):
        raise by_code(code, _program.words(said, out))
    return Audit(_named(out, {at: label(model)}))


def tree(models: Union[Sequence[Model], Mapping[str, Model]], *, offline: bool = False, progress: Progress = None) -> Tree:
    """Compares all pairs of several models and draws their lineage. A mapping names them."""
    with ExitStack() as stack:
        pairs = list(models.items()) if isinstance(models, Mapping) else [(label(m), m) for m in models]
        at = {reference(m, stack): name for name, m in _apart(pairs)}
        code, out, said = _told(["tree", "--json", *_flags(False, offline), "--", *at], progress)
    if code != 0:
        raise by_code(code, _program.words(said, out))
    return Tree(_named(out, at))


def verify(stated: Union[Report, Path_], *models: Model, key: Optional[Path_] = None, offline: bool = False) -> str:
    """Makes a report anew, or holds models against what a file states of them.

    Returns the program's words where all is as stated, and raises MismatchError with
    the first difference where it is not.
    """
    arguments = ["verify", *_flags(False, offline)] + ([f"--key={os.fspath(key)}"] if key else [])
    with ExitStack() as stack:
        if isinstance(stated, Report):
            file = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="weightprint-")), "report.json")
            stated.save(file)
            stated = file
        return _program.output([*arguments, "--", os.fspath(stated), *(reference(m, stack) for m in models)]).strip()


def _apart(pairs: Sequence[Tuple[str, Model]]) -> List[Tuple[str, Model]]:
    """Numbers models that bear the same name."""
    seen: Dict[str, int] = {}
    out = []
    for name, model in pairs:
        seen[name] = seen.get(name, 0) + 1
        out.append((name if seen[name] == 1 else f"{name} {seen[name]}", model))
    return out


def _told(arguments: List[str], progress: Progress) -> "tuple[int, str, str]":
    tell = teller(progress)
    try:
        return _program.run(arguments, tell)
    finally:
        close(tell)


def _flags(lenient: bool, offline: bool) -> List[str]:
    return ["--lenient"] * lenient + ["--offline"] * offline


def _path(value: Any) -> Any:
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _named(text: str, names: Mapping[str, str]) -> str:
    """Puts names in place of references in what the program wrote."""
    for at, name in names.items():
        if at != name:
            text = text.replace(json.dumps(at, ensure_ascii=False)[1:-1], json.dumps(name)[1:-1])
    return text
