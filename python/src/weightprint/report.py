"""What the program found, as Python sees it."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Type, TypeVar, Union

from . import _html, _program

if TYPE_CHECKING:
    import pandas  # type: ignore[import-untyped,import-not-found,unused-ignore]

T = TypeVar("T")


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda m: "_" + m.group(1).lower(), name).lower()


def _read(cls: Type[T], raw: Mapping[str, Any]) -> T:
    """A dataclass out of JSON. Fields that it does not have stay in `raw` alone."""
    known = {f.name for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    return cls(**{_snake(k): v for k, v in raw.items() if _snake(k) in known})


@dataclass(frozen=True)
class Verdict:
    """What was decided. docs/SCHEMA.md explains every field."""

    relation: str  # identical, reencoded, related, shared-init, no-evidence, inconclusive
    kinds: List[str]
    direction: str  # a-to-b, b-to-a, undetermined
    tier: str  # exact, calibrated, none
    log10_p: Optional[float]
    score: float
    strength: str
    statement: str
    because: List[str]
    alternatives: List[str]
    excludes: List[str]
    next: List[str]
    reading: Optional[Dict[str, Any]] = None
    precedence: Optional[Dict[str, Any]] = None


@dataclass(frozen=True)
class Subject:
    """One of the two models."""

    ref: str
    format: str
    parameters: int
    bytes_read: int
    bytes_total: int
    header: str
    root: Optional[str]
    files: List[Dict[str, Any]]


@dataclass(frozen=True)
class Component:
    """What was found for one part of the networks."""

    name: str
    relation: str
    tensors: int
    parameters_share: float
    log10_p: Optional[float]
    effect: float
    by: str = ""


@dataclass(frozen=True)
class Evidence:
    """One test's result."""

    test: str
    axis: str
    component: str
    tier: str
    statistic: float
    effect: float
    n: int
    log10_p: Optional[float]
    null: str
    look: int
    skipped: str = ""


@dataclass(frozen=True)
class Layer:
    """What was found for one layer of B; `a` is its source in A."""

    tower: str
    a: Optional[int]
    b: int
    log10_p: Optional[float]
    effect: float


class _Result:
    """A result as the program wrote it: `json` to the letter, `raw` parsed."""

    def __init__(self, text: str) -> None:
        self.json = text
        self.raw: Dict[str, Any] = json.loads(text)

    def save(self, file: "Union[str, os.PathLike[str]]") -> None:
        """Writes the result; the ending of the name says in which form (.json, .html, .md, .svg, .txt)."""
        path = Path(file)
        if path.suffix == ".json":
            path.write_text(self.json, "utf-8")
        else:
            form = {".html": "html", ".htm": "html", ".md": "md", ".svg": "svg", ".dot": "dot"}.get(path.suffix, "text")
            path.write_text(self._form(form, *["-v"] * (form == "text")), "utf-8")

    def _form(self, form: str, *flags: str) -> str:
        with tempfile.TemporaryDirectory(prefix="weightprint-") as folder:
            file = Path(folder, "result.json")
            file.write_text(self.json, "utf-8")
            return _program.output(["show", f"--format={form}", *flags, "--", str(file)])


class Report(_Result):
    """What a comparison found."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        raw = self.raw
        self.verdict = _read(Verdict, raw["verdict"])
        self.subjects = [_read(Subject, s) for s in raw["subjects"]]
        self.components = [_read(Component, c) for c in raw["components"]]
        self.evidence = [_read(Evidence, e) for e in raw["evidence"]]
        self.layers = [_read(Layer, x) for x in raw["layers"]]
        self.warnings: List[str] = raw["warnings"]
        self.limits: List[str] = raw["limits"]

    @property
    def relation(self) -> str:
        return self.verdict.relation

    @property
    def kinds(self) -> List[str]:
        return self.verdict.kinds

    @property
    def because(self) -> List[str]:
        return self.verdict.because

    @property
    def log10_p(self) -> Optional[float]:
        """The exact tier's bound; None where no exact test speaks."""
        return self.verdict.log10_p

    @property
    def summary(self) -> str:
        """The verdict in a line."""
        kinds = f" ({', '.join(self.kinds)})" if self.kinds else ""
        return f"{self.relation}{kinds}: {self.subjects[0].ref} and {self.subjects[1].ref}; {self.verdict.strength}"

    def frame(self, of: str = "evidence") -> "pandas.DataFrame":
        """A table of "evidence", "components", "layers" or "subjects"."""
        return _frame({"evidence": self.evidence, "components": self.components, "layers": self.layers, "subjects": self.subjects}, of)

    def text(self, verbose: bool = False) -> str:
        """The verdict on one screen, or everything in words."""
        return self._form("text", *(["-v"] if verbose else []))

    def html(self) -> str:
        """The whole report as a page that needs nothing else."""
        return self._form("html")

    def __repr__(self) -> str:
        return f"<weightprint.Report {self.summary}>"

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return _html.report(self)


class Tree(_Result):
    """The lineage of several models."""

    @property
    def models(self) -> List[str]:
        return [n["ref"] or f"({n.get('hidden', 'hidden')})" for n in self.raw["nodes"]]

    @property
    def edges(self) -> List[Dict[str, Any]]:
        """Joined models, by name, with how they are related. Order is no direction: `direction` is."""
        name = dict(zip((n["id"] for n in self.raw["nodes"]), self.models))
        return [{**{_snake(k): v for k, v in e.items()}, "from": name[e["from"]], "to": name[e["to"]]} for e in self.raw["edges"]]

    @property
    def families(self) -> List[List[str]]:
        """Models that share a trained origin, family by family."""
        out: Dict[int, List[str]] = {}
        for node, name in zip(self.raw["nodes"], self.models):
            out.setdefault(node["family"], []).append(name)
        return list(out.values())

    def frame(self) -> "pandas.DataFrame":
        """One row an edge."""
        return _frame({"edges": self.edges}, "edges")

    def __repr__(self) -> str:
        return f"<weightprint.Tree of {len(self.models)} models in {len(self.families)} families>"

    def __str__(self) -> str:
        return self._form("text")

    def _repr_svg_(self) -> str:
        return self._form("svg")


class Audit(_Result):
    """What became of claims."""

    @property
    def claims(self) -> List[Dict[str, Any]]:
        claims: List[Dict[str, Any]] = self.raw["claims"]
        return claims

    @property
    def outcomes(self) -> List[str]:
        """confirmed, contradicted or unproven, claim by claim."""
        return [c["outcome"] for c in self.claims]

    def __repr__(self) -> str:
        words = "; ".join(f"{c['outcome']}: {c['claim']['relation']} of {c['claim']['parent']}" for c in self.claims)
        return f"<weightprint.Audit {words or 'no claim'}>"

    def _repr_html_(self) -> str:
        return _html.audit(self)


def _frame(tables: Mapping[str, List[Any]], of: str) -> "pandas.DataFrame":
    if of not in tables:
        raise ValueError(f"{of!r} is none of {', '.join(tables)}")
    import pandas

    rows = [dataclasses.asdict(r) if dataclasses.is_dataclass(r) and not isinstance(r, type) else r for r in tables[of]]
    return pandas.DataFrame(rows)
