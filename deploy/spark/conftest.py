import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

FAKE = '''#!{python}
"""Stands in for `weightprint fingerprint --stdin --ndjson`: a reference says what
becomes of it."""
import base64, hashlib, json, os, sys, time
for ref in sys.stdin:
    ref = ref.strip()
    what, _, name = ref.partition(":")
    tries = 0
    log = os.environ.get("FAKE_LOG")
    if log:
        with open(log, "a") as f:
            f.write(ref + "\\n")
        tries = open(log).read().split("\\n").count(ref)
    record = {{"schema": "weightprint.fingerprint/1", "ref": ref}}
    if what == "die":
        os._exit(7)
    if what == "hang":
        time.sleep(3600)
    if what == "gone":
        record["error"] = name + ": the server answers 404 Not Found"
    elif what == "busy" and tries < 3:
        record["error"] = name + ": the server answers 429 Too Many Requests and asks to wait 0m1s"
    else:
        if what == "slow":
            time.sleep(0.3)
        record |= {{"root": hashlib.sha256(name.encode()).hexdigest(), "parameters": len(name), "fingerprint": base64.b64encode(name.encode()).decode()}}
    print(json.dumps(record), flush=True)
'''


@pytest.fixture(scope="session")
def fake(tmp_path_factory):
    path = tmp_path_factory.mktemp("fake") / "fake-weightprint"
    path.write_text(FAKE.format(python=sys.executable))
    path.chmod(0o755)
    return str(path)


@pytest.fixture(scope="session")
def weightprint(tmp_path_factory):
    """The program: $WEIGHTPRINT, or built from this repository."""
    if os.environ.get("WEIGHTPRINT"):
        return os.environ["WEIGHTPRINT"]
    path = tmp_path_factory.mktemp("bin") / "weightprint"
    subprocess.run(["go", "build", "-o", path, "./cmd/weightprint"], cwd=HERE.parent.parent, check=True, env={**os.environ, "CGO_ENABLED": "0"})
    return str(path)


def submit(job, *args, log=None):
    """Runs a job on two threads of this machine."""
    env = {**os.environ, "PYTHONPATH": str(HERE), "PYSPARK_PYTHON": sys.executable, "PYSPARK_DRIVER_PYTHON": sys.executable}
    if log:
        env["FAKE_LOG"] = str(log)
    code = "import sys; sys.path.insert(0, %r); import %s as job; sys.exit(job.main(sys.argv[1:]))" % (str(HERE), job)
    submit = subprocess.run(
        [sys.executable, "-c", code, *map(str, args)],
        env={**env, "PYSPARK_SUBMIT_ARGS": "--master local[2] --driver-java-options \"-XX:TieredStopAtLevel=1 -XX:+UseSerialGC\" --conf spark.ui.enabled=false --conf spark.driver.memory=1g --conf spark.sql.shuffle.partitions=4 --conf spark.driver.host=127.0.0.1 --conf spark.driver.bindAddress=127.0.0.1 pyspark-shell"},
        capture_output=True,
        text=True,
    )
    assert submit.returncode == 0, submit.stderr[-4000:]
    return submit.stdout
