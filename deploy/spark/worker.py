"""What one task does: gives references to the program and reads its records.

A reference is given when the one before it is done, so that it is known which
one a program died of, or does not come to an end with.
"""

import base64
import json
import random
import re
import select
import subprocess
import time

# Faults that may be gone at another time, in the words of formats/source.
PASSING = re.compile(
    r"the server answers (408|429|500|502|503|504)\b|cannot be reached|too slow|not done after|unexpected EOF|the program (died|did not end)"
)
WAIT = re.compile(r"asks to wait ((?:\d+(?:\.\d+)?(?:ms|h|m|s))+)")
UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}


def passing(error):
    return bool(PASSING.search(error))


def asked_wait(error):
    """The seconds that a server asked to wait, or None."""
    found = WAIT.search(error)
    if not found:
        return None
    return sum(float(n) * UNITS[unit] for n, unit in re.findall(r"(\d+(?:\.\d+)?)(ms|h|m|s)", found[1]))


class Program:
    """A running `weightprint fingerprint --stdin --ndjson`."""

    def __init__(self, path, budget, near="1KiB", spool=""):
        self.command = [path, "fingerprint", "--stdin", "--ndjson", "--budget", budget, "--near", near, "--spool", spool]
        self.process = None

    def ask(self, ref, limit):
        """Returns the record of a reference, or one of an error where the program
        dies of it or takes longer than limit seconds."""
        if self.process is None:
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            self.process.stdin.write(ref.encode() + b"\n")
            self.process.stdin.flush()
            line = self._line(limit)
        except BrokenPipeError:
            line = b""
        if line:
            return json.loads(line)
        self.process.kill()
        code = self.process.wait()
        late = line is None
        self.process = None
        return {"ref": ref, "error": "the program did not end in %g s" % limit if late else "the program died, code %d" % code}

    def _line(self, limit):
        """The next line, b"" at the end of the stream, None after the limit."""
        end, line = time.monotonic() + limit, b""
        out = self.process.stdout
        while not line.endswith(b"\n"):
            left = end - time.monotonic()
            if left <= 0 or not select.select([out], [], [], left)[0]:
                return None
            part = out.read1(1 << 20)
            if not part:
                return b""
            line += part
        return line

    def close(self):
        if self.process is not None:
            self.process.stdin.close()
            self.process.stdout.close()
            self.process.wait()


def one(program, budget, ref, o, sleep=time.sleep):
    """Fingerprints one reference, again where a fault may pass."""
    for attempt in range(1, o["attempts"] + 1):
        if budget:
            budget.wait()
        record = program.ask(ref, o["limit"])
        error = record.get("error", "")
        if not error:
            return record, attempt
        asked = asked_wait(error)
        if budget and (asked or "answers 429" in error):
            budget.pause(asked or o["backoff"] * 2**attempt)
        if not passing(error):
            break
        if attempt < o["attempts"]:
            sleep(o["backoff"] * 2 ** (attempt - 1) * (0.5 + random.random()))
    return record, attempt


def run(rows, o, path, counters=None):
    """Yields the result of each row: id, revision, ref, size, parents, root,
    parameters, fingerprint, error, attempts."""
    from budget import Client

    budget = Client(o["budget"]) if o.get("budget") else None
    program = Program(path, o["bytes"], o.get("near", "1KiB"), o.get("spool", ""))
    try:
        for id_, revision, ref, size, parents in rows:
            record, attempts = one(program, budget, ref, o)
            error = record.get("error") or None
            if counters:
                counters["failed" if error else "done"].add(1)
                counters["bytes"].add(0 if error else size or 0)
            print_ = base64.b64decode(record["fingerprint"]) if not error else None
            yield (id_, revision, ref, size, parents, record.get("root") or None, record.get("parameters"), print_, error, attempts)
    finally:
        program.close()
