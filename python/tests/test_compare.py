from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest
from conftest import arrays

import weightprint


@pytest.fixture(scope="module")
def related(models: Path) -> weightprint.Report:
    return weightprint.compare(models / "base", models / "fine-tune", progress=False)


def test_paths(related: weightprint.Report) -> None:
    assert related.relation == "related"
    assert related.kinds == ["fine-tuned"]
    assert related.verdict.direction == "undetermined"
    assert related.log10_p is not None and related.log10_p < -100
    assert related.because and related.verdict.alternatives
    assert {c.name for c in related.components} >= {"embeddings", "mlp"}
    assert [x.a for x in related.layers] == [x.b for x in related.layers]
    assert related.subjects[0].parameters == related.subjects[1].parameters > 0
    assert any(e.test == "fixed-points" and e.tier == "exact" for e in related.evidence)
    assert "related (fine-tuned)" in repr(related)


def test_an_independent_network(models: Path) -> None:
    r = weightprint.compare(models / "base", models / "other-seed", progress=False)
    assert r.relation == "no-evidence"
    assert r.verdict.excludes


def test_forms(related: weightprint.Report, tmp_path: Path) -> None:
    assert str(related).startswith("RELATED\n")
    assert len(related.text(verbose=True)) > len(str(related))
    for name, begins in {"r.json": "{", "r.html": "<!doctype html>", "r.md": "# ", "r.txt": "A  "}.items():
        related.save(tmp_path / name)
        assert (tmp_path / name).read_text("utf-8").startswith(begins), name
    assert json.loads((tmp_path / "r.json").read_text("utf-8")) == related.raw
    assert related.html() == (tmp_path / "r.html").read_text("utf-8")


def test_notebooks(related: weightprint.Report) -> None:
    page = related._repr_html_()
    assert "<h3>RELATED</h3>" in page and "Not excluded" in page and "fixed-points" in page
    hostile = json.loads(json.dumps(related.raw))
    hostile["subjects"][0]["ref"] = hostile["verdict"]["because"][0] = hostile["evidence"][0]["axis"] = "<script>alert(1)</script>"
    assert "<script" not in weightprint.Report(json.dumps(hostile))._repr_html_()


def test_tables(related: weightprint.Report) -> None:
    pandas = pytest.importorskip("pandas")
    table = related.frame("evidence")
    assert list(table["test"]) == [e.test for e in related.evidence]
    assert table[table.tier == "exact"].log10_p.min() == min(e.log10_p for e in related.evidence if e.tier == "exact" and e.log10_p is not None)
    assert isinstance(related.frame("components"), pandas.DataFrame)
    with pytest.raises(ValueError, match="is none of"):
        related.frame("verdicts")


def test_state_dicts(models: Path) -> None:
    base, tuned = arrays(models / "base"), arrays(models / "fine-tune")
    r = weightprint.compare(base, tuned, progress=False)
    assert r.relation == "related"
    assert [s.ref for s in r.subjects] == ["dict", "dict"]
    assert "weightprint-" not in r.json
    same = weightprint.compare(base, models / "base", progress=False)
    assert same.relation in ("identical", "reencoded")
    assert same.subjects[0].root == same.subjects[1].root


def test_types_are_kept_bit_for_bit(tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy")
    random = numpy.random.default_rng(1)
    state: Dict[str, Any] = {f"w.{t}": random.normal(size=(8, 3)).astype(t) for t in ("<f8", "<f4", "<f2", ">f4", "<i8", "<i2", "u1")}
    state["flags"] = random.integers(0, 2, 5).astype(bool)
    state["turned"] = random.normal(size=(4, 6)).T
    state["scalar"] = numpy.float32(2.5)
    state["empty"] = numpy.zeros((0, 4), "<f4")
    state["block._extra_state"] = None
    from weightprint._safetensors import save

    file = tmp_path / "model.safetensors"
    save(state, str(file))
    read = pytest.importorskip("safetensors.numpy").load_file(str(file))
    assert sorted(read) == sorted(set(state) - {"block._extra_state"})
    for name, values in read.items():
        assert values.shape == numpy.shape(state[name]) and numpy.array_equal(values, state[name]), name
    listed = json.loads(subprocess.run([sys.executable, "-m", "weightprint", "inspect", "--json", str(file)], check=True, capture_output=True).stdout)
    assert len(listed["tensors"]) == len(read)


@pytest.mark.parametrize(
    ("model", "error", "says"),
    [
        ({}, ValueError, "no tensor"),
        ({"a": {"b": 1}}, TypeError, "itself a mapping"),
        ({"a": 3}, TypeError, "int and no tensor"),
        (17, TypeError, "int is no model"),
        ((1, 2), TypeError, "a pair is a model and a tokenizer"),
    ],
)
def test_what_is_no_model(models: Path, model: Any, error: Any, says: str) -> None:
    with pytest.raises(error, match=says):
        weightprint.compare(model, models / "base")


def test_errors(models: Path, tmp_path: Path) -> None:
    with pytest.raises(weightprint.NotCompletedError, match="cannot be opened") as e:
        weightprint.compare(models / "base", tmp_path / "nothing.gguf")
    assert e.value.code == 2
    cut = tmp_path / "model.safetensors"
    cut.write_bytes((models / "base" / "model.safetensors").read_bytes()[:1000])
    with pytest.raises(weightprint.NotCompletedError, match="model.safetensors"):
        weightprint.compare(models / "base", cut)
    with pytest.raises(weightprint.UsageError, match="budget"):
        weightprint.compare(models / "base", models / "base", budget="a lot")
    with pytest.raises(ValueError):
        weightprint.compare(models / "base", models / "base", depth="abyss")
    with pytest.raises(weightprint.FindingError, match="related") as f:
        weightprint.compare(models / "base", models / "fine-tune", fail_on=["related"], progress=False)
    assert f.value.report is not None and f.value.report.relation == "related"
    with pytest.raises(weightprint.NotCompletedError):
        weightprint.compare(models / "base", "nobody/nothing", offline=True)
    option = tmp_path / "--json"
    option.write_bytes(b"x")
    with pytest.raises(weightprint.NotCompletedError):
        weightprint.compare("--json", models / "base")


def test_verify(related: weightprint.Report, models: Path, tmp_path: Path) -> None:
    assert weightprint.verify(related, models / "base", models / "fine-tune").startswith("verified")
    with pytest.raises(weightprint.MismatchError):
        weightprint.verify(related, models / "base", models / "other-seed")


def test_audit(models: Path) -> None:
    a = weightprint.audit(models / "fine-tune", claim={"parent": models / "base", "kinds": ["fine-tuned"]}, progress=False)
    assert a.outcomes == ["confirmed"]
    assert "confirmed" in a._repr_html_() and "confirmed" in repr(a)
    assert weightprint.audit(models / "fine-tune", progress=False).outcomes == []
    with pytest.raises(weightprint.WeightprintError):
        weightprint.audit(models / "fine-tune", claim={"parent": ""})


def test_tree(models: Path, tmp_path: Path) -> None:
    t = weightprint.tree({"one": models / "base", "two": arrays(models / "fine-tune"), "three": models / "other-seed"}, progress=False)
    assert t.families == [["one", "two"], ["three"]]
    assert [(e["from"], e["to"], e["relation"]) for e in t.edges] == [("one", "two", "related")]
    assert t._repr_svg_().startswith("<svg ") and "two" in str(t)
    t.save(tmp_path / "t.json")
    t.save(tmp_path / "t.dot")
    assert "digraph" in (tmp_path / "t.dot").read_text("utf-8")
    unnamed = weightprint.tree([arrays(models / "base"), arrays(models / "fine-tune")], progress=False)
    assert unnamed.families == [["dict", "dict 2"]]
    if pandas := pytest.importorskip("pandas"):
        assert isinstance(t.frame(), pandas.DataFrame)


def test_progress(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: List[Dict[str, Any]] = []
    weightprint.compare(models / "base", models / "fine-tune", progress=steps.append)
    assert [s["step"] for s in steps] == sorted(s["step"] for s in steps)
    assert steps[-1]["step"] == steps[-1]["steps"] and 0 < steps[-1]["read"] <= steps[-1]["total"]
    tqdm = pytest.importorskip("tqdm.auto")
    seen: List[Any] = []

    class Bar:
        def __init__(self, **_: Any) -> None:
            self.total = self.n = 0
            seen.append(self)

        def set_description(self, words: str, refresh: bool) -> None:
            self.words = words

        def refresh(self) -> None: ...

        def close(self) -> None:
            self.closed = True

    monkeypatch.setattr(tqdm, "tqdm", Bar)
    weightprint.compare(models / "base", models / "fine-tune")
    assert seen and seen[0].closed and seen[0].words.startswith("5/5") and seen[0].n > 0


def test_the_command(models: Path) -> None:
    out = subprocess.run([sys.executable, "-m", "weightprint", "compare", str(models / "base"), str(models / "base"), "--fail-on", "identical"], capture_output=True, text=True)
    assert out.returncode == 1 and out.stdout.startswith("IDENTICAL")
    script = Path(sys.executable).parent / ("weightprint.exe" if os.name == "nt" else "weightprint")
    assert subprocess.run([script, "version"], capture_output=True, text=True, check=True).stdout.strip() == weightprint.version()


def test_a_missing_program(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEIGHTPRINT_PROGRAM", str(models / "nothing"))
    with pytest.raises(OSError):
        weightprint.version()
