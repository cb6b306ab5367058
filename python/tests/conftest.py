"""The tests run against the installed package, on the small trained networks of the demo."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, Dict, Iterator

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def temporary(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing that is written on the way is left behind."""
    folder = tmp_path_factory.mktemp("scratch")
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    yield
    assert list(folder.glob("weightprint-*")) == []


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "models"
    subprocess.run(["go", "run", "./internal/demo/extract", str(folder)], cwd=ROOT, check=True)
    return folder


def arrays(folder: Path) -> Dict[str, Any]:
    """The tensors of a model of the demo, read without the package under test."""
    numpy = pytest.importorskip("numpy")
    raw = (folder / "model.safetensors").read_bytes()
    size = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + size])
    out = {}
    for name, t in header.items():
        if name == "__metadata__":
            continue
        low, high = t["data_offsets"]
        kind = {"F32": "<f4", "F16": "<f2", "BF16": "<u2"}[t["dtype"]]
        values = numpy.frombuffer(raw[8 + size + low : 8 + size + high], kind).reshape(t["shape"])
        if t["dtype"] == "BF16":
            values = (values.astype("<u4") << 16).view("<f4")
        out[name] = values
    return out
