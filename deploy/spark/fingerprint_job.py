"""Fingerprints all models of a table, on Spark.

    spark-submit --py-files budget.py,worker.py fingerprint_job.py \\
        --models models.parquet --out hub/ --weightprint /usr/local/bin/weightprint

The table (Parquet or CSV) has the columns id, revision, size and parents, as the
hub-stats tables have; size and parents may be missing. A column ref names a model
otherwise than as hf:ID@REVISION.

What is done is kept under OUT/records, a round at a time. Run again, the job goes on
with what is missing: a model is done when its id and revision have a record. Models
that fail for good, or as often as --attempts says, are records of their error, in
quarantine: --again tries them once more. At the end OUT/fingerprints.parquet,
OUT/errors.parquet and OUT/fingerprints.ndjson hold each model once, in the order of
id and revision, and OUT/summary.json the counts. Equal models, revisions and program
give equal bytes, whatever was killed in between.
"""

import argparse
import base64
import heapq
import json
import os
import socket
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark import SparkFiles
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T
from pyspark.sql.window import Window

SCHEMA = T.StructType(
    [
        T.StructField("id", T.StringType(), False),
        T.StructField("revision", T.StringType(), False),
        T.StructField("ref", T.StringType(), False),
        T.StructField("size", T.LongType()),
        T.StructField("parents", T.StringType()),
        T.StructField("root", T.StringType()),
        T.StructField("parameters", T.LongType()),
        T.StructField("fingerprint", T.BinaryType()),
        T.StructField("error", T.StringType()),
        T.StructField("attempts", T.IntegerType(), False),
    ]
)
KEY = ["id", "revision"]


def arguments(argv):
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--models", required=True, help="table of models, Parquet or CSV")
    p.add_argument("--out", required=True, help="folder that all workers can write to")
    p.add_argument("--weightprint", required=True, help="the program, sent to the workers")
    p.add_argument("--bytes", default="64MiB", help="bytes read of each model, or full")
    p.add_argument("--spool", default="", help="a folder of each worker for what a server sends while it is read: two requests a shard")
    p.add_argument("--near", default="1KiB", help="ask a server at once for ranges no further apart than this: fewer requests, more bytes")
    p.add_argument("--task-bytes", type=int, default=64 << 30, help="sizes of the models of one task, in all")
    p.add_argument("--round-tasks", type=int, default=256, help="tasks after which results are kept")
    p.add_argument("--rate", type=float, default=0, help="models begun a second by all workers together; 0: no limit")
    p.add_argument("--attempts", type=int, default=4, help="how often a model is tried")
    p.add_argument("--backoff", type=float, default=2, help="seconds before the second attempt, doubled each time")
    p.add_argument("--limit", type=float, default=3600, help="seconds that one model may take")
    p.add_argument("--again", action="store_true", help="try what is in quarantine once more")
    return p.parse_args(argv)


def table(spark, path):
    """The models, each id and revision once."""
    t = spark.read.option("header", True).csv(path) if path.endswith(".csv") else spark.read.parquet(path)
    for name in ("size", "parents"):
        if name not in t.columns:
            t = t.withColumn(name, F.lit(None))
    if isinstance(t.schema["parents"].dataType, T.ArrayType):
        t = t.withColumn("parents", F.to_json("parents"))
    if "ref" not in t.columns:
        t = t.withColumn("ref", F.concat(F.lit("hf:"), "id", F.lit("@"), "revision"))
    t = t.select("id", "revision", "ref", F.col("size").cast("long"), F.col("parents").cast("string"))
    order = Window.partitionBy(*KEY).orderBy("ref", "size", "parents")
    t = t.where(F.col("id").isNotNull() & F.col("revision").isNotNull()).withColumn("n", F.row_number().over(order))
    return t.where("n = 1").drop("n")


def pack(rows, most):
    """Packs rows into tasks of at most so many bytes, or of one row that is larger:
    the largest rows first, each to the task that holds least."""
    total = sum(r[3] or 0 for r in rows)
    n = max(1, min(len(rows), -(-total // most)))
    tasks = [[] for _ in range(n)]
    heap = [(0, 0, k) for k in range(n)]
    for row in sorted(rows, key=lambda r: (-(r[3] or 0), r[0], r[1])):
        held, count, k = heapq.heappop(heap)
        tasks[k].append(row)
        heapq.heappush(heap, (held + (row[3] or 0), count + 1, k))
    return [t for t in tasks if t]


def kept(spark, out):
    """The records of earlier rounds. Of what was tried again the later one counts;
    a fingerprint is never replaced by an error."""
    path = os.path.join(out, "records")
    rounds = sorted(str(p) for p in Path(path).glob("round=*") if (p / "_SUCCESS").exists())
    if not rounds:
        return spark.createDataFrame([], T.StructType(SCHEMA.fields + [T.StructField("round", T.StringType())]))
    return spark.read.schema(SCHEMA).option("basePath", path).parquet(*rounds)


def latest(records):
    order = Window.partitionBy(*KEY).orderBy(F.col("error").isNotNull(), F.col("round").desc())
    return records.withColumn("n", F.row_number().over(order)).where("n = 1").drop("n", "round")


def run_rounds(spark, todo, o, budget):
    sc = spark.sparkContext
    program = os.path.basename(o.weightprint)
    sc.addFile(os.path.abspath(o.weightprint))
    counters = {name: sc.accumulator(0) for name in ("done", "failed", "bytes")}
    settings = {"bytes": o.bytes, "near": o.near, "spool": o.spool, "attempts": o.attempts, "backoff": o.backoff, "limit": o.limit, "budget": budget}
    tasks = pack([tuple(r) for r in todo.collect()], o.task_bytes)

    def work(rows):
        import worker

        path = SparkFiles.get(program)
        os.chmod(path, 0o755)
        for task in rows:
            yield from worker.run(task, settings, path, counters)

    first = 1 + max([int(p.name[6:]) for p in Path(o.out, "records").glob("round=*")], default=0)
    for n, begin in enumerate(range(0, len(tasks), o.round_tasks)):
        some = tasks[begin : begin + o.round_tasks]
        sc.setJobDescription("round %d: %d models, %d of %d tasks" % (first + n, sum(map(len, some)), begin + len(some), len(tasks)))
        records = sc.parallelize(some, len(some)).mapPartitions(work)
        spark.createDataFrame(records, SCHEMA).write.parquet(os.path.join(o.out, "records", "round=%06d" % (first + n)))
        print("round %d: %d fingerprints, %d errors, %d bytes of models so far" % (first + n, counters["done"].value, counters["failed"].value, counters["bytes"].value), flush=True)


GOOD = pa.schema(
    [
        ("id", pa.string()),
        ("revision", pa.string()),
        ("ref", pa.string()),
        ("size", pa.int64()),
        ("parents", pa.string()),
        ("root", pa.string()),
        ("parameters", pa.int64()),
        ("fingerprint", pa.binary()),
    ]
)
BAD = pa.schema([("id", pa.string()), ("revision", pa.string()), ("ref", pa.string()), ("error", pa.string())])


class Table:
    """A Parquet file that appears whole, of rows in their order: the same rows give
    the same bytes, which Spark's own writer does not promise."""

    def __init__(self, path, schema):
        self.path, self.schema, self.rows, self.count = path, schema, [], 0
        self.writer = pq.ParquetWriter(path + ".tmp", schema, compression="zstd")

    def add(self, row):
        self.rows.append({name: row[name] for name in self.schema.names})
        self.count += 1
        if len(self.rows) == 1000:
            self.flush()

    def flush(self):
        self.writer.write_table(pa.Table.from_pylist(self.rows, schema=self.schema))
        self.rows = []

    def close(self):
        if self.rows or not self.count:
            self.flush()
        self.writer.close()
        os.replace(self.path + ".tmp", self.path)


def finish(spark, o, wanted):
    """Writes the results of the models that are wanted now, in one pass."""
    records = latest(kept(spark, o.out)).join(wanted.select(*KEY), KEY).orderBy(*KEY)
    good, bad = Table(os.path.join(o.out, "fingerprints.parquet"), GOOD), Table(os.path.join(o.out, "errors.parquet"), BAD)
    target = os.path.join(o.out, "fingerprints.ndjson")
    with open(target + ".tmp", "w") as f:
        for r in records.toLocalIterator():
            line = {"schema": "weightprint.fingerprint/1", "ref": r.ref}
            if r.error is not None:
                line["error"] = r.error
                bad.add(r)
            else:
                if r.root:
                    line["root"] = r.root
                line["parameters"] = r.parameters
                line["fingerprint"] = base64.b64encode(r.fingerprint).decode()
                good.add(r)
            f.write(json.dumps(line, separators=(",", ":")) + "\n")
    os.replace(target + ".tmp", target)
    good.close()
    bad.close()
    return good.count, bad.count


def main(argv=None):
    o = arguments(argv)
    spark = SparkSession.builder.appName("weightprint fingerprints").getOrCreate()
    spark.sparkContext.setLogLevel("WARN")
    begun = time.time()
    os.makedirs(o.out, exist_ok=True)
    wanted = table(spark, o.models).cache()
    done = kept(spark, o.out)
    if o.again:
        done = done.where("error IS NULL")
    todo = wanted.join(done.select(*KEY).distinct(), KEY, "left_anti").select("id", "revision", "ref", "size", "parents").orderBy(*KEY)
    budget = server = None
    if o.rate:
        from budget import Budget, Server

        host = spark.conf.get("spark.driver.host", socket.gethostname())
        server = Server(Budget(o.rate), host)
        budget = server.address
    n = todo.count()
    if n:
        run_rounds(spark, todo, o, budget)
    good, bad = finish(spark, o, wanted)
    summary = {"models": wanted.count(), "fingerprints": good, "errors": bad, "doneNow": n, "seconds": round(time.time() - begun, 1)}
    if server:
        summary |= {"turns": server.budget.turns, "pauses": server.budget.pauses}
    Path(o.out, "summary.json").write_text(json.dumps(summary, indent=2) + "\n")
    print(json.dumps(summary))
    spark.stop()
    return 0 if good + bad == summary["models"] else 1


if __name__ == "__main__":
    sys.exit(main())
