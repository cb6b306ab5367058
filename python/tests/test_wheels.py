"""Wheels are inspected without running them: those in the folder WHEELS, where it is
given, or else the one of this machine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Callable, Dict, List

import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "python"))
import inspected  # noqa: E402
import wheels  # noqa: E402

Files = Dict[str, bytes]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> List[Path]:
    if folder := os.environ.get("WHEELS"):
        return sorted(Path(folder).glob("*.whl"))
    folder = str(tmp_path_factory.mktemp("wheels"))
    subprocess.run([sys.executable, str(ROOT / "python" / "wheels.py"), "--targets", "host", "--out", folder], check=True)
    return sorted(Path(folder).glob("*.whl"))


def test_every_wheel(built: List[Path]) -> None:
    assert built
    for path in built:
        inspected.inspect(path)
    if os.environ.get("WHEELS"):
        assert len(built) == len(wheels.TARGETS)


def put(name: str, old: bytes, new: bytes) -> Callable[[Files], None]:
    def edit(files: Files) -> None:
        key = next(k for k in files if k.endswith(name))
        assert old in files[key]
        files[key] = files[key].replace(old, new)

    return edit


def cut(at: int, data: bytes) -> Callable[[Files], None]:
    """Overwrites bytes of the program."""

    def edit(files: Files) -> None:
        key = next(k for k in files if "/bin/" in k)
        files[key] = files[key][:at] + data + files[key][at + len(data) :]

    return edit


@pytest.mark.parametrize(
    ("edit", "record", "says"),
    [
        (put("__init__.py", b"import", b"1mport"), False, "is not as RECORD says"),
        (put("METADATA", b"Name: weightprint", b"Name: weightprints"), True, "METADATA is of weightprints"),
        (put("METADATA", b"Version: ", b"Version: 9"), True, "METADATA is of weightprint 9"),
        (put("WHEEL", b"Tag: py3-none-", b"Tag: py3-any-"), True, "WHEEL has the tags"),
        (put("WHEEL", b"Purelib: false", b"Purelib: true"), True, "not pure"),
        (put("entry_points.txt", b"weightprint =", b"weightprints ="), True, "entry points"),
        (lambda f: f.pop(next(k for k in f if k.endswith("NOTICE"))), True, "NOTICE is missing"),
        (lambda f: f.pop("weightprint/py.typed"), True, "incomplete"),
        (lambda f: f.update({"weightprint/bin/second": b""}), True, "there is not one program"),
        (lambda f: f.update({"../out": b""}), True, "leads out of the folder"),
        (cut(0, b"#!/b"), True, "is not in the format"),
        (cut(18, b"\x28"), True, "the program is for another processor"),
        (cut(64, b"\x03\x00\x00\x00"), True, "is not static"),
    ],
)
def test_a_wheel_that_is_not_fit(built: List[Path], tmp_path: Path, edit: Callable[[Files], object], record: bool, says: str) -> None:
    original = next((p for p in built if "manylinux_2_17_x86_64" in p.name), None)
    if original is None:
        pytest.skip("the programs that are edited are those of Linux")
    with zipfile.ZipFile(original) as z:
        files = {name: z.read(name) for name in z.namelist()}
    name = next(k for k in files if k.endswith("/RECORD"))
    edit(files)
    if record:
        files[name] = wheels.record({k: v for k, v in files.items() if k != name}, name)
    broken = tmp_path / original.name
    wheels.write(broken, files, name)
    with pytest.raises(inspected.Unfit, match=re.escape(says)):
        inspected.inspect(broken)


def test_another_system(built: List[Path], tmp_path: Path) -> None:
    """A program under the tags of another system is found."""
    for path in built:
        other = tmp_path / re.sub(r"none-.*\.whl", "none-win_arm64.whl" if "win_arm64" not in path.name else "none-win_amd64.whl", path.name)
        other.write_bytes(path.read_bytes())
        with pytest.raises(inspected.Unfit, match="WHEEL has the tags"):
            inspected.inspect(other)
