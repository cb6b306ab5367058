"""Notebooks' view of results. Everything that comes from files is escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Iterable, List, Sequence

if TYPE_CHECKING:
    from .report import Audit, Report


def report(r: Report) -> str:
    """The verdict with what it rests on; the tests folded."""
    v = r.verdict
    parts = [f"<h3>{escape(v.relation.upper())}</h3>", f"<p>{escape(v.statement)}</p>" if v.statement else ""]
    rows = [["A", _subject(r, 0)], ["B", _subject(r, 1)], ["strength", v.strength], ["kinds", ", ".join(v.kinds) or "none named"], ["direction", v.direction]]
    parts.append(_table([], rows))
    parts += [_list("Because", v.because), _list("Not excluded", v.alternatives), _list("Excluded", v.excludes), _list("Next", v.next)]
    found = [[e.test, e.axis, e.tier, _number(e.effect), str(e.n), _number(e.log10_p)] for e in r.evidence if not e.skipped]
    parts.append(f"<details><summary>{len(found)} results</summary>{_table(['test', 'axis', 'tier', 'effect', 'n', 'log10 p'], found)}</details>")
    parts += [_list("Warnings", r.warnings)]
    return f"<div class='weightprint'>{''.join(parts)}</div>"


def audit(a: Audit) -> str:
    rows = [[c["outcome"], f"{c['claim']['relation']} of {c['claim']['parent']}", c["because"]] for c in a.claims]
    return f"<div class='weightprint'>{_table(['outcome', 'claim', 'because'], rows)}</div>"


def _subject(r: Report, i: int) -> str:
    s = r.subjects[i]
    return f"{s.ref}: {s.format}, {s.parameters:,} parameters, {s.bytes_read:,} of {s.bytes_total:,} bytes read"


def _number(x: Any) -> str:
    return "–" if x is None else f"{x:.4g}"


def _list(title: str, items: Iterable[str]) -> str:
    lines = "".join(f"<li>{escape(i)}</li>" for i in items)
    return f"<b>{escape(title)}</b><ul>{lines}</ul>" if lines else ""


def _table(head: Sequence[str], rows: List[List[str]]) -> str:
    top = "".join(f"<th style='text-align:left'>{escape(h)}</th>" for h in head)
    body = "".join("<tr>" + "".join(f"<td style='text-align:left'>{escape(c)}</td>" for c in row) + "</tr>" for row in rows)
    return f"<table>{'<thead><tr>' + top + '</tr></thead>' if head else ''}<tbody>{body}</tbody></table>"
