import json
import shutil
import subprocess

import pyarrow as pa
import pyarrow.parquet as pq
from conftest import submit

from fingerprint_job import pack


def test_tasks_hold_the_same_bytes():
    rows = [("m%03d" % i, "r", "x", (i * 7919) % 1000, None) for i in range(200)] + [("big", "r", "x", 50_000, None), ("none", "r", "x", None, None)]
    tasks = pack(rows, 10_000)
    assert len([r for t in tasks for r in t]) == len(set(r for t in tasks for r in t)) == len(rows)
    sizes = sorted(sum(r[3] or 0 for r in t) for t in tasks)
    assert sizes[-1] == 50_000, "the large one has a task of its own"
    assert sizes[-2] <= 10_000 + 1000
    assert tasks == pack(rows[::-1], 10_000), "whatever the order of the table"


def models(path, refs):
    pq.write_table(pa.table({"id": [r.split(":")[1] for r in refs], "revision": ["main"] * len(refs), "ref": refs, "size": [len(r) * 100 for r in refs], "parents": [["p"]] * len(refs)}), path)


def job(tmp_path, out, fake, table, *more):
    text = submit("fingerprint_job", "--models", table, "--out", out, "--weightprint", fake, "--task-bytes", 2000, "--round-tasks", 3, "--backoff", 0.001, "--limit", 120, *more, log=tmp_path / "log")
    return json.loads(text.strip().splitlines()[-1])


def results(out):
    return {name: (out / name).read_bytes() for name in ("fingerprints.parquet", "errors.parquet", "fingerprints.ndjson")}


def test_runs_go_on_where_others_ended(fake, tmp_path):
    refs = ["ok:m%02d" % i for i in range(30)] + ["die:poison", "gone:gone", "busy:busy"]
    table, log = str(tmp_path / "models.parquet"), tmp_path / "log"
    models(table, refs)
    s = job(tmp_path, tmp_path / "a", fake, table, "--rate", 500)
    assert (s["models"], s["fingerprints"], s["errors"], s["doneNow"]) == (33, 31, 2, 33)
    assert s["pauses"] == 2
    want = results(tmp_path / "a")
    t = pq.read_table(tmp_path / "a" / "fingerprints.parquet")
    assert t["id"].to_pylist() == sorted(r.split(":")[1] for r in refs if r[:2] in ("ok", "bu"))
    assert pq.read_table(tmp_path / "a" / "errors.parquet")["id"].to_pylist() == ["gone", "poison"]

    # Nothing is asked for twice, and nothing changes.
    asked = log.read_text()
    s = job(tmp_path, tmp_path / "a", fake, table)
    assert s["doneNow"] == 0 and log.read_text() == asked
    assert results(tmp_path / "a") == want

    # In two parts, the second with models that are there and a row twice: the same bytes.
    models(table + ".first", refs[:20])
    job(tmp_path, tmp_path / "b", fake, table + ".first")
    models(table + ".all", refs + refs[:5])
    s = job(tmp_path, tmp_path / "b", fake, table + ".all")
    assert s["doneNow"] == 13
    assert results(tmp_path / "b") == want

    # A round that was not kept whole is done again.
    rounds = sorted((tmp_path / "b" / "records").glob("round=*"))
    (rounds[-1] / "_SUCCESS").unlink()
    s = job(tmp_path, tmp_path / "b", fake, table + ".all")
    assert s["doneNow"] > 0
    assert results(tmp_path / "b") == want


def test_fingerprints_are_those_of_the_program(weightprint, tmp_path):
    from pathlib import Path

    root = Path(__file__).parents[2]
    if not (root / "internal/demo/extract").is_dir() or not shutil.which("go"):
        import pytest

        pytest.skip("no models at hand")
    subprocess.run(["go", "run", "./internal/demo/extract", str(tmp_path / "demo")], cwd=root, check=True)
    demo = sorted({p.parent for p in (tmp_path / "demo").rglob("*.safetensors")})
    table = tmp_path / "models.csv"
    table.write_text("id,revision,ref,size\n" + "".join("%s,main,%s,100\n" % (p.name, p) for p in demo))
    s = json.loads(submit("fingerprint_job", "--models", table, "--out", tmp_path / "out", "--weightprint", weightprint).strip().splitlines()[-1])
    assert s["fingerprints"] == len(demo)
    refs = "".join(str(p) + "\n" for p in sorted(demo, key=lambda p: p.name))
    want = subprocess.run([weightprint, "fingerprint", "--stdin", "--ndjson", "--budget", "64MiB"], input=refs, capture_output=True, text=True, check=True).stdout
    assert (tmp_path / "out" / "fingerprints.ndjson").read_text() == want
