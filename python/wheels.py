"""Builds the wheels: one for each system, each with the program of that system.

As a build backend (PEP 517) it makes the wheel of the machine that it runs on, so
that `pip install ./python` works in a clone with Go. As a script it makes all:

    python python/wheels.py --version v1.2.3 --out build/wheels [--targets linux-amd64]

Only the standard library is used. The same sources and the same Go release give
the same bytes: no times, no paths, names in order.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import os
import platform
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Dict, List, Mapping, NamedTuple, Optional, Tuple

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
STAMP = "github.com/weightprint/weightprint/report.stamped"


class Target(NamedTuple):
    """A system that programs are built for, with the tags of its wheels."""

    goos: str
    goarch: str
    platforms: Tuple[str, ...]

    @property
    def program(self) -> str:
        return "weightprint.exe" if self.goos == "windows" else "weightprint"


# The programs are static, so that one serves glibc and musl alike. The oldest macOS is
# the one that Go 1.26 still runs on.
TARGETS: Dict[str, Target] = {
    "linux-amd64": Target("linux", "amd64", ("manylinux_2_17_x86_64", "manylinux2014_x86_64", "musllinux_1_1_x86_64")),
    "linux-arm64": Target("linux", "arm64", ("manylinux_2_17_aarch64", "manylinux2014_aarch64", "musllinux_1_1_aarch64")),
    "darwin-amd64": Target("darwin", "amd64", ("macosx_12_0_x86_64",)),
    "darwin-arm64": Target("darwin", "arm64", ("macosx_12_0_arm64",)),
    "windows-amd64": Target("windows", "amd64", ("win_amd64",)),
    "windows-arm64": Target("windows", "arm64", ("win_arm64",)),
}

# What of Go's environment could change a bit of a program.
PINNED = {
    "CGO_ENABLED": "0",
    "GOFLAGS": "-mod=readonly",
    "GOWORK": "off",
    "GOEXPERIMENT": "",
    "GOAMD64": "v1",
    "GOARM64": "v8.0",
    "GOENV": "off",
    "GOFIPS140": "off",
}


def host() -> Target:
    """The target of this machine."""
    goos = {"linux": "linux", "darwin": "darwin", "win32": "windows"}.get(sys.platform)
    goarch = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine().lower())
    try:
        return TARGETS[f"{goos}-{goarch}"]
    except KeyError:
        raise SystemExit(f"weightprint has no wheel for {sys.platform} on {platform.machine()}")


def program(target: Target, version: str) -> bytes:
    """Builds the program of a target, stamped with its version as a Go module's."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, target.program)
        command = ["go", "build", "-p", "2", "-trimpath", "-buildvcs=false"]
        command += ["-ldflags", f"-s -w -buildid= -X {STAMP}={version}", "-o", str(file), "./cmd/weightprint"]
        environment = {**os.environ, **PINNED, "GOOS": target.goos, "GOARCH": target.goarch}
        subprocess.run(command, cwd=ROOT, env=environment, check=True)
        return file.read_bytes()


def described(version: str) -> str:
    """The METADATA of a wheel, version 2.4, out of pyproject.toml."""
    project = (HERE / "pyproject.toml").read_text("utf-8")

    def text(key: str) -> str:
        found = re.search(rf'^{re.escape(key)} = "(.*)"$', project, re.M)
        assert found, key
        return found.group(1)

    def items(key: str) -> List[str]:
        found = re.search(rf"^{re.escape(key)} = \[(.*?)\]$", project, re.M | re.S)
        assert found, key
        return re.findall(r'"([^"]*)"', found.group(1))

    lines = ["Metadata-Version: 2.4", f"Name: {text('name')}", f"Version: {version}", f"Summary: {text('description')}"]
    lines += [f"Keywords: {','.join(items('keywords'))}", f"License-Expression: {text('license')}"]
    lines += [f"License-File: {name}" for name in items("license-files")]
    lines += [f"Classifier: {name}" for name in items("classifiers")]
    lines += [f"Project-URL: Source, {text('Source')}", f"Requires-Python: {text('requires-python')}"]
    lines += ["Provides-Extra: notebook"] + [f'Requires-Dist: {name}; extra == "notebook"' for name in items("notebook")]
    lines += ["Description-Content-Type: text/markdown", "", (HERE / "README.md").read_text("utf-8")]
    return "\n".join(lines)


def contents(target: Target, module: str, tags: List[str]) -> Dict[str, bytes]:
    """The files of a wheel by name, without RECORD."""
    version = pep440(module)
    info = f"weightprint-{version}.dist-info"
    files = {f"weightprint/{p.name}": p.read_bytes() for p in sorted((HERE / "src" / "weightprint").iterdir()) if p.suffix == ".py" or p.name == "py.typed"}
    files[f"weightprint/bin/{target.program}"] = program(target, module)
    files[f"{info}/METADATA"] = described(version).encode()
    files[f"{info}/WHEEL"] = "".join(["Wheel-Version: 1.0\nGenerator: weightprint wheels.py\nRoot-Is-Purelib: false\n", *(f"Tag: {t}\n" for t in tags)]).encode()
    files[f"{info}/entry_points.txt"] = b"[console_scripts]\nweightprint = weightprint.__main__:main\n"
    for name in ("LICENSE", "NOTICE"):
        files[f"{info}/licenses/{name}"] = (ROOT / name).read_bytes()
    return files


def record(files: Mapping[str, bytes], name: str) -> bytes:
    """RECORD: digest and size of every file but itself."""

    def line(path: str, data: bytes) -> str:
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        return f"{path},sha256={digest},{len(data)}\n"

    return ("".join(line(p, d) for p, d in sorted(files.items())) + f"{name},,\n").encode()


def write(path: Path, files: Mapping[str, bytes], last: str) -> None:
    """Writes a zip file without times; last comes at the end, as the format advises."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
        for name in sorted(files, key=lambda n: (n == last, n)):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # so that the mode counts
            entry.external_attr = (0o100755 if "/bin/" in name else 0o100644) << 16
            out.writestr(entry, files[name])


def wheel(target: Target, module: str, folder: Path) -> Path:
    """Builds one wheel of a version such as v1.2.3 and returns its path."""
    version = pep440(module)
    tags = [f"py3-none-{p}" for p in target.platforms]
    files = contents(target, module, tags)
    name = f"weightprint-{version}.dist-info/RECORD"
    files[name] = record(files, name)
    path = folder / f"weightprint-{version}-py3-none-{'.'.join(target.platforms)}.whl"
    write(path, files, name)
    return path


def pep440(version: str) -> str:
    """A version of a Go module as Python writes it: v1.2.3-rc.1 is 1.2.3rc1."""
    m = re.fullmatch(r"v(\d+\.\d+\.\d+)(?:-(alpha|beta|rc|dev)\.?(\d+))?", version)
    if not m:
        raise SystemExit(f"version {version!r} is not of the form v1.2.3 or v1.2.3-rc.1")
    kind = {"alpha": "a", "beta": "b", "rc": "rc", "dev": ".dev", None: ""}[m.group(2)]
    return m.group(1) + kind + (m.group(3) or "")


def chosen() -> str:
    """The version to build: that of WEIGHTPRINT_VERSION, else one of development."""
    return os.environ.get("WEIGHTPRINT_VERSION", "v0.0.0-dev.0")


# The hooks of PEP 517 and PEP 660.


def build_wheel(wheel_directory: str, config_settings: Optional[Mapping[str, str]] = None, metadata_directory: Optional[str] = None) -> str:
    return wheel(host(), chosen(), Path(wheel_directory)).name


def build_sdist(sdist_directory: str, config_settings: Optional[Mapping[str, str]] = None) -> str:
    raise SystemExit("weightprint is built from a clone of its repository; there is no source distribution for Python")


def main() -> None:
    p = argparse.ArgumentParser(description="build the wheels of weightprint")
    p.add_argument("--version", default=chosen())
    p.add_argument("--out", type=Path, default=ROOT / "build" / "wheels")
    p.add_argument("--targets", default=",".join(TARGETS), help='some of them, with commas between, or "host" (default: all)')
    a = p.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    if a.targets != "host" and (unknown := set(a.targets.split(",")) - set(TARGETS)):
        p.error(f"no such target: {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)} and host")
    targets = [host()] if a.targets == "host" else [TARGETS[t] for t in a.targets.split(",")]
    for target in targets:
        path = wheel(target, a.version, a.out)
        print(f"{path}  {path.stat().st_size / 1e6:.1f} MB  sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}")


if __name__ == "__main__":
    main()
