"""Finds the program and runs it."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence, Tuple, Union

from ._errors import NotCompletedError, by_code

Step = Dict[str, Any]  # stage, step, steps, read, total: what Progress of the Go package says
Told = Callable[[Step], None]


def path() -> str:
    """The program: the one that WEIGHTPRINT_PROGRAM names, else that of this package."""
    named = os.environ.get("WEIGHTPRINT_PROGRAM")
    if named:
        return named
    here = Path(__file__).parent / "bin" / ("weightprint.exe" if os.name == "nt" else "weightprint")
    if not here.exists():
        raise NotCompletedError(f"{here} is missing: this package was not installed from a wheel; WEIGHTPRINT_PROGRAM can name the program")
    return str(here)


def run(arguments: Sequence[str], tell: Union[Told, None] = None) -> Tuple[int, str, str]:
    """Runs the program: exit code, standard output, and what it said beside progress."""
    command = [path(), *(["--progress", "json"] if tell else []), *arguments]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", errors="replace") as p:
        said: List[str] = []
        listener = threading.Thread(target=_listen, args=(p.stderr, said, tell), daemon=True)
        listener.start()
        try:
            assert p.stdout is not None
            out = p.stdout.read()
            code = p.wait()
        except BaseException:
            p.terminate()
            raise
        finally:
            listener.join()
    return code, out, "".join(said).strip()


def _listen(stream: Any, said: List[str], tell: Union[Told, None]) -> None:
    """Passes lines of progress on and keeps all others."""
    for line in stream:
        step = _step(line) if tell else None
        if step is None or tell is None:
            said.append(line)
        else:
            tell(step)


def _step(line: str) -> Union[Step, None]:
    if not line.startswith('{"progress":'):
        return None
    try:
        step = json.loads(line)["progress"]
    except (ValueError, KeyError):
        return None
    return step if isinstance(step, dict) else None


def output(arguments: Sequence[str], tell: Union[Told, None] = None) -> str:
    """The standard output of a run that must succeed."""
    code, out, said = run(arguments, tell)
    if code != 0:
        raise by_code(code, words(said, out))
    return out


def words(said: str, out: str) -> str:
    """The last thing that the program said."""
    lines = [x for x in (said or out).splitlines() if x.strip()]
    return lines[-1][len("weightprint: ") :] if lines and lines[-1].startswith("weightprint: ") else "\n".join(lines[-3:])
