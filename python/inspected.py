"""Inspects wheels without running them: python python/inspected.py WHEEL…

Every wheel is held against its own name and against what its system needs: tags,
digests and sizes of RECORD, metadata, entry points, and a program of the format and
the processor that the tags promise, which needs no library that the system lacks.
Only the standard library is used.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import re
import struct
import sys
import zipfile
from email.parser import Parser
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Tuple

PLATFORM = re.compile(r"(manylinux_2_17|manylinux2014|musllinux_1_1|macosx_(\d+)_(\d+)|win)_(x86_64|aarch64|amd64|arm64)")
PROCESSORS = {"x86_64": "x86-64", "amd64": "x86-64", "aarch64": "arm64", "arm64": "arm64"}
COMMAND = "[console_scripts]\nweightprint = weightprint.__main__:main\n"


class Unfit(Exception):
    """What of a wheel is not as it has to be."""


def need(true: object, words: str) -> None:
    if not true:
        raise Unfit(words)


def elf(b: bytes) -> str:
    """The processor of a static ELF program of 64 bits."""
    need(b[4] == 2 and b[5] == 1, "the ELF file is not of 64 bits, little-endian")
    start, size, count = struct.unpack_from("<Q", b, 32)[0], *struct.unpack_from("<HH", b, 54)
    kinds = {struct.unpack_from("<I", b, start + i * size)[0] for i in range(count)}
    need(not kinds & {2, 3}, "the program is not static: it asks for a loader or libraries")
    return {62: "x86-64", 183: "arm64"}.get(struct.unpack_from("<H", b, 18)[0], "another processor")


def commands(b: bytes) -> Iterator[Tuple[int, bytes]]:
    """The load commands of a Mach-O file."""
    at = 32
    for _ in range(struct.unpack_from("<I", b, 16)[0]):
        kind, size = struct.unpack_from("<II", b, at)
        yield kind, b[at : at + size]
        at += size


def mach(b: bytes, oldest: Tuple[int, int]) -> str:
    """The processor of a Mach-O program that runs from a release of macOS on."""
    found, signed = (99, 0), False
    for kind, c in commands(b):
        if kind == 0x32:  # LC_BUILD_VERSION
            found = (struct.unpack_from("<H", c, 14)[0], c[13])
        if kind == 0x0C:  # LC_LOAD_DYLIB
            name = c[struct.unpack_from("<I", c, 8)[0] :].split(b"\0")[0].decode()
            need(name.startswith(("/usr/lib/", "/System/Library/")), f"the program asks for {name}, which macOS does not have")
        signed = signed or kind == 0x1D  # LC_CODE_SIGNATURE
    need(found <= oldest, f"the program runs from macOS {found[0]}.{found[1]} on, the tag promises {oldest[0]}.{oldest[1]}")
    processor = {0x01000007: "x86-64", 0x0100000C: "arm64"}.get(struct.unpack_from("<I", b, 4)[0], "another processor")
    need(signed or processor != "arm64", "macOS on arm64 runs no program that is not signed")
    return processor


def pe(b: bytes) -> str:
    """The processor of a Windows program for the console."""
    at = struct.unpack_from("<I", b, 0x3C)[0]
    need(b[at : at + 4] == b"PE\0\0", "the program is no PE file")
    machine, magic, subsystem = *struct.unpack_from("<H", b, at + 4), *struct.unpack_from("<H", b, at + 24), *struct.unpack_from("<H", b, at + 92)
    need(magic == 0x20B and subsystem == 3, "the program is not one of 64 bits for the console")
    return {0x8664: "x86-64", 0xAA64: "arm64"}.get(machine, "another processor")


def processor(b: bytes, platform: str) -> str:
    """The processor of a program, which must be of the format of a platform."""
    m = PLATFORM.fullmatch(platform)
    assert m
    formats: Dict[str, Tuple[bytes, Callable[[bytes], str]]] = {
        "m": (b"\x7fELF", elf),
        "d": (b"\xcf\xfa\xed\xfe", lambda x: mach(x, (int(m[2]), int(m[3])))),
        "w": (b"MZ", pe),
    }
    begins, of = formats["d" if m[2] else platform[0]]
    need(b.startswith(begins), f"the program is not in the format of {platform}")
    return of(b)


def recorded(z: zipfile.ZipFile, info: str) -> None:
    """Holds every file against RECORD."""
    names = z.namelist()
    need(len(names) == len(set(names)), "two files have one name")
    rows = {name: (digest, size) for name, digest, size in csv.reader(z.read(f"{info}/RECORD").decode().splitlines())}
    need(set(rows) == set(names), f"RECORD and the files differ: {sorted(set(rows) ^ set(names))}")
    for name in names:
        need(not name.startswith("/") and ".." not in name.split("/"), f"{name} leads out of the folder")
        data = z.read(name)
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        want = ("", "") if name == f"{info}/RECORD" else (f"sha256={digest}", str(len(data)))
        need(rows[name] == want, f"{name} is not as RECORD says")


def described(z: zipfile.ZipFile, info: str, version: str, tags: List[str]) -> None:
    """Holds WHEEL, METADATA, entry points and licences against the name."""
    wheel = Parser().parsestr(z.read(f"{info}/WHEEL").decode())
    need(wheel.get_all("Tag") == tags, f"WHEEL has the tags {wheel.get_all('Tag')}, the name says {tags}")
    need(wheel["Root-Is-Purelib"] == "false" and wheel["Wheel-Version"] == "1.0", "WHEEL does not say 1.0, not pure")
    meta = Parser().parsestr(z.read(f"{info}/METADATA").decode())
    need((meta["Name"], meta["Version"]) == ("weightprint", version), f"METADATA is of {meta['Name']} {meta['Version']}")
    need(meta["Requires-Python"] == ">=3.9" and meta["License-Expression"] == "Apache-2.0", "METADATA names another Python or licence")
    need(len(str(meta.get_payload())) > 1000, "METADATA has no description")
    need(z.read(f"{info}/entry_points.txt").decode() == COMMAND, "the entry points are others")
    for name in meta.get_all("License-File") or ["LICENSE"]:
        need(f"{info}/licenses/{name}" in z.namelist(), f"the licence {name} is missing")
    need({"weightprint/py.typed", "weightprint/__init__.py", "weightprint/__main__.py"} <= set(z.namelist()), "the package is incomplete")


def inspect(path: Path) -> str:
    """What a wheel is, in a line. It raises Unfit where something is wrong."""
    m = re.fullmatch(r"weightprint-([^-]+)-py3-none-([^-]+)\.whl", path.name)
    need(m, "the name is not that of a wheel of weightprint")
    assert m
    version, platforms = m[1], m[2].split(".")
    need(all(PLATFORM.fullmatch(p) for p in platforms), f"the platforms {platforms} are not among those that are built for")
    info = f"weightprint-{version}.dist-info"
    with zipfile.ZipFile(path) as z:
        recorded(z, info)
        described(z, info, version, [f"py3-none-{p}" for p in platforms])
        programs = [i for i in z.infolist() if i.filename.startswith("weightprint/bin/")]
        need(len(programs) == 1, "there is not one program")
        name = "weightprint.exe" if platforms[0].startswith("win") else "weightprint"
        need(programs[0].filename == f"weightprint/bin/{name}", f"the program is not named {name}")
        need(programs[0].external_attr >> 16 == 0o100755, "the program may not be run")
        b = z.read(programs[0])
        need(b"v" + re.sub("[^0-9.].*", "", version).rstrip(".").encode() in b, "the program is of another version")
    for p in platforms:
        found, promised = processor(b, p), PROCESSORS[PLATFORM.fullmatch(p)[4]]  # type: ignore[index]
        need(found == promised, f"the program is for {found}, the tag {p} promises {promised}")
    return f"{path.name}: {len(b) / 1e6:.1f} MB of program for {found}, as RECORD and the tags say"


def main() -> None:
    if len(sys.argv) < 2:
        raise SystemExit("which wheels? python python/inspected.py build/wheels/*.whl")
    failed = 0
    for path in map(Path, sys.argv[1:]):
        try:
            print(inspect(path))
        except (Unfit, KeyError, struct.error, zipfile.BadZipFile) as e:
            failed += 1
            print(f"{path.name}: {e}", file=sys.stderr)
    sys.exit(min(1, failed))


if __name__ == "__main__":
    main()
