"""Finds all pairs of fingerprints that share an origin, on Spark.

    spark-submit pairs_job.py --fingerprints hub/fingerprints.ndjson --out hub/ \\
        --weightprint /usr/local/bin/weightprint

The driver makes an index, whose keys (256 bytes a model) and records go to every
worker once. Each task holds some rows against all later ones by exact Hamming
distances, and tests those that are near on their full sketches, with `weightprint
index pairs --tested --rows`. The driver chooses among all that was tested (`--from`),
with the expected share of false pairs at most --q over all pairs. OUT/edges.ndjson and
OUT/edges.parquet are what one machine gives, byte for byte, however the rows were
shared and whatever was killed.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark import SparkFiles
from pyspark.sql import SparkSession

EDGE = pa.schema(
    [
        ("a", pa.string()),
        ("b", pa.string()),
        ("numberA", pa.int64()),
        ("numberB", pa.int64()),
        ("relation", pa.string()),
        ("log10P", pa.float64()),
        ("test", pa.string()),
        ("alikeToTokens", pa.int64()),
        ("probed", pa.int64()),
        ("component", pa.int64()),
        ("inTree", pa.bool_()),
    ]
)


def arguments(argv):
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--fingerprints", help="records of fingerprint --ndjson")
    p.add_argument("--index", help="an index, in place of --fingerprints")
    p.add_argument("--out", required=True, help="folder of the driver")
    p.add_argument("--weightprint", required=True, help="the program, sent to the workers")
    p.add_argument("--tasks", type=int, default=0, help="tasks; 0: four for each core")
    p.add_argument("--q", type=float, default=0.01, help="largest expected share of false pairs")
    return p.parse_args(argv)


def cuts(rows, tasks):
    """Cuts rows into ranges with about the same number of pairs: row i is held
    against rows - 1 - i others."""
    total, out, at, pairs = rows * (rows - 1) / 2, [], 0, 0
    for i in range(rows):
        pairs += rows - 1 - i
        if pairs * tasks >= total * (len(out) + 1) or i == rows - 1:
            out.append((at, i + 1))
            at = i + 1
    return out


def index_of(o, dir):
    if o.index:
        return o.index
    path = os.path.join(dir, "index")
    with open(o.fingerprints, "rb") as f:
        subprocess.run([o.weightprint, "index", "add", "--index", path, "--ndjson"], stdin=f, stdout=subprocess.DEVNULL, check=True)
    return path


def records(path):
    """The number of committed records, of the newer of two headers."""
    with open(path, "rb") as f:
        head = f.read(1024)
    slots = [head[at : at + 32] for at in (0, 512) if head[at : at + 8] == b"WPINDEX1"]
    newest = max(slots, key=lambda s: int.from_bytes(s[8:16], "little"))
    return int.from_bytes(newest[16:24], "little")


def parquet(ndjson, path):
    rows = [json.loads(line) for line in open(ndjson)]
    columns = {name: [r["numbers"][0 if name == "numberA" else 1] if name.startswith("number") else r[name] for r in rows] for name in EDGE.names}
    pq.write_table(pa.table(columns, schema=EDGE), path + ".tmp", compression="zstd")
    os.replace(path + ".tmp", path)


def main(argv=None):
    o = arguments(argv)
    begun = time.time()
    spark = SparkSession.builder.appName("weightprint pairs").getOrCreate()
    sc = spark.sparkContext
    sc.setLogLevel("WARN")
    os.makedirs(o.out, exist_ok=True)
    with tempfile.TemporaryDirectory() as dir:
        index = index_of(o, dir)
        rows = records(index)
        for ending in ("", ".details", ".keys"):
            if os.path.exists(index + ending):
                sc.addFile(os.path.abspath(index + ending))
        sc.addFile(os.path.abspath(o.weightprint))
        program, name = os.path.basename(o.weightprint), os.path.basename(index)

        def tested(range_):
            path = SparkFiles.get(program)
            os.chmod(path, 0o755)
            p = subprocess.run([path, "index", "pairs", "--index", SparkFiles.get(name), "--tested", "--rows", "%d:%d" % range_], capture_output=True, env={**os.environ, "GOMAXPROCS": "1"})
            if p.returncode:
                raise RuntimeError(p.stderr.decode())
            return p.stdout

        ranges = cuts(rows, o.tasks or 4 * sc.defaultParallelism)
        sc.setJobDescription("%d records, %d pairs" % (rows, rows * (rows - 1) // 2))
        pairs = os.path.join(dir, "tested")
        n = 0
        with open(pairs, "wb") as f:
            for part in sc.parallelize(ranges, max(1, len(ranges))).map(tested).toLocalIterator(prefetchPartitions=True):
                f.write(part)
                n += part.count(b"\n")
        edges = os.path.join(o.out, "edges.ndjson")
        with open(edges + ".tmp", "wb") as f:
            subprocess.run([o.weightprint, "index", "pairs", "--index", index, "--from", pairs, "--q", str(o.q)], stdout=f, check=True)
        os.replace(edges + ".tmp", edges)
        parquet(edges, os.path.join(o.out, "edges.parquet"))
    summary = {"records": rows, "pairs": rows * (rows - 1) // 2, "tested": n, "edges": sum(1 for _ in open(edges)), "seconds": round(time.time() - begun, 1)}
    Path(o.out, "pairs-summary.json").write_text(json.dumps(summary, indent=2) + "\n")
    print(json.dumps(summary))
    spark.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
