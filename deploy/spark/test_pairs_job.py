import json
import subprocess
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from conftest import HERE, submit

from pairs_job import cuts, records


@pytest.mark.parametrize("rows, tasks", [(1, 4), (2, 4), (7, 3), (1000, 8), (1001, 7)])
def test_ranges_share_the_pairs(rows, tasks):
    ranges = cuts(rows, tasks)
    assert ranges[0][0] == 0 and ranges[-1][1] == rows
    assert all(a[1] == b[0] for a, b in zip(ranges, ranges[1:]))
    if rows > 100:
        pairs = [sum(rows - 1 - i for i in range(*r)) for r in ranges]
        assert len(ranges) <= tasks + 1
        assert max(pairs) < 1.1 * rows * (rows - 1) / 2 / tasks


def test_edges_are_those_of_one_machine(weightprint, tmp_path):
    entries = 1500
    subprocess.run(["go", "run", "./cmd/weightprint-bench", "pairs", str(tmp_path), "--only-make", "--entries", str(entries)], cwd=HERE.parent.parent, check=True, capture_output=True)
    index = tmp_path / ("pairs-%d" % entries)
    assert records(index) == entries
    want = subprocess.run([weightprint, "index", "pairs", "--index", index], capture_output=True, check=True).stdout
    s = json.loads(submit("pairs_job", "--index", index, "--out", tmp_path, "--weightprint", weightprint, "--tasks", 5).strip().splitlines()[-1])
    assert (tmp_path / "edges.ndjson").read_bytes() == want
    assert s["edges"] == len(want.splitlines()) > 5
    table = pq.read_table(tmp_path / "edges.parquet").to_pylist()
    lines = [json.loads(line) for line in want.splitlines()]
    assert [(t["a"], t["b"], t["log10P"], t["inTree"]) for t in table] == [(e["a"], e["b"], e["log10P"], e["inTree"]) for e in lines]
