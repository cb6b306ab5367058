#!/bin/sh
# A master and two workers on loopback, one of which is killed mid-way: the results
# are those of one machine, byte for byte, none lost and none twice.
#
#     deploy/spark/acceptance.sh PYTHON WEIGHTPRINT BENCH [ENTRIES]
#
# PYTHON has pyspark and pyarrow; WEIGHTPRINT and BENCH are the two programs.
set -eu
python=$1 weightprint=$2 bench=$3 entries=${4:-20000}
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
home=$("$python" -c 'import pyspark, os; print(os.path.dirname(pyspark.__file__))')
export SPARK_HOME="$home" PYSPARK_PYTHON="$python" PYSPARK_DRIVER_PYTHON="$python" PYTHONPATH="$here" SPARK_LOCAL_IP=127.0.0.1 SPARK_LOG_DIR="$dir"
# A process of its own group for each, so that a worker dies with its executors.
pids=
end() { for p in $pids; do kill -9 "-$p" 2>/dev/null || true; done; rm -rf "$dir"; }
trap end EXIT
trap 'exit 130' INT TERM
begin() { setsid "$@" >>"$dir/spark.log" 2>&1 & last=$!; pids="$pids $last"; }
port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
begin "$home/bin/spark-class" org.apache.spark.deploy.master.Master --host 127.0.0.1 --port "$port" --webui-port 0
sleep 5
worker() { begin "$home/bin/spark-class" org.apache.spark.deploy.worker.Worker --host 127.0.0.1 --webui-port 0 --cores 1 --memory 1g --work-dir "$dir/work$1" "spark://127.0.0.1:$port"; }
worker 1
worker 2
victim=$last
submit() {
	"$home/bin/spark-submit" --master "spark://127.0.0.1:$port" --conf spark.driver.host=127.0.0.1 --conf spark.ui.enabled=false \
		--conf spark.executor.memory=512m --conf spark.sql.shuffle.partitions=4 --conf spark.task.maxFailures=8 "$@"
}
fail() { echo "FAILED: $*" >&2; tail -n 40 "$dir/spark.log" >&2; exit 1; }

# All pairs; the second worker is killed once it has begun.
"$bench" pairs "$dir" --only-make --entries "$entries"
"$weightprint" index pairs --index "$dir/pairs-$entries" >"$dir/one.ndjson"
submit "$here/pairs_job.py" --index "$dir/pairs-$entries" --out "$dir/pairs" --weightprint "$weightprint" --tasks 16 >"$dir/pairs.log" 2>&1 &
job=$!
n=0
until ls "$dir"/work2/*/*/pairs-"$entries" >/dev/null 2>&1; do
	n=$((n + 1))
	test $n -lt 3000 && kill -0 $job 2>/dev/null || fail "the second worker did not begin: $(tail -n 20 "$dir/pairs.log")"
	sleep 0.2
done
sleep "${LIVE:-2}"
kill -9 "-$victim"
wait $job || fail "all pairs: $(tail -n 30 "$dir/pairs.log")"
grep -q "Lost executor" "$dir/pairs.log" || fail "all pairs were done before the worker was killed: set LIVE to fewer seconds"
cmp "$dir/one.ndjson" "$dir/pairs/edges.ndjson" || fail "the edges differ"
echo "all pairs of $entries records, a worker killed: $(cat "$dir/pairs/pairs-summary.json" | tr -d '\n')"

# Fingerprints, with a new second worker that is killed in turn.
worker 2b
victim=$last
(cd "$here/../.." && go run ./internal/demo/extract "$dir/demo")
"$python" - "$dir" "$here" <<'P'
import sys
from pathlib import Path
import pyarrow as pa, pyarrow.parquet as pq
dir, here = sys.argv[1:]
models = sorted({p.parent for p in Path(dir, "demo").rglob("*.safetensors")})
names = ["%s-%03d" % (models[i % len(models)].name, i) for i in range(120)]
links = Path(dir, "models"); links.mkdir()
for i, n in enumerate(names):
    (links / n).symlink_to(models[i % len(models)])
refs = [str(links / n) for n in names] + [str(links / "missing")]
pq.write_table(pa.table({"id": names + ["missing"], "revision": ["main"] * 121, "ref": refs, "size": [1000] * 121}), dir + "/models.parquet")
Path(dir, "refs").write_text("".join(r + "\n" for r in sorted(refs, key=lambda r: Path(r).name)))
P
"$weightprint" fingerprint --stdin --ndjson --budget 64MiB <"$dir/refs" >"$dir/one.ndjson"
submit --py-files "$here/budget.py,$here/worker.py" "$here/fingerprint_job.py" --models "$dir/models.parquet" --out "$dir/hub" --weightprint "$weightprint" --task-bytes 5000 --backoff 0.01 >"$dir/hub.log" 2>&1 &
job=$!
n=0
until ls "$dir"/work2b/*/*/"${weightprint##*/}" >/dev/null 2>&1; do # sent with the first task that fingerprints
	n=$((n + 1))
	test $n -lt 3000 && kill -0 $job 2>/dev/null || fail "the second worker did not begin: $(tail -n 20 "$dir/hub.log")"
	sleep 0.2
done
sleep "${LIVE:-2}"
kill -9 "-$victim"
wait $job || fail "fingerprints: $(tail -n 30 "$dir/hub.log")"
grep -q "Lost executor" "$dir/hub.log" || fail "the models were done before the worker was killed: set LIVE to fewer seconds"
cmp "$dir/one.ndjson" "$dir/hub/fingerprints.ndjson" || fail "the fingerprints differ"
echo "121 models, a worker killed: $(tr -d '\n' <"$dir/hub/summary.json")"
