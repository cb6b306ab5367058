#!/bin/sh
# scripts/peers.sh [FLAGS OF weightprint-bench speed]: measures the rows of
# docs/PERFORMANCE.md beside what programs of others take for the same work on the same
# files, in one run. They come from PyPI and crates.io and are installed in build/peers:
# AWM as its authors describe it (numpy, scipy), faiss-cpu, safetensors, model-signing,
# b3sum. gguf-py and ggml stand beside the decoders: weightprint-bench decode.
#
#     scripts/peers.sh --docs docs/PERFORMANCE.md
set -eu
cd "$(dirname "$0")/.."
peers=$PWD/build/peers
[ -x "$peers/bin/python" ] || python3 -m venv "$peers"
"$peers/bin/pip" -q install numpy scipy safetensors faiss-cpu model-signing pyOpenSSL gguf
[ -x "$peers/bin/b3sum" ] || cargo install -q b3sum --root "$peers"
work="$peers/bin/python $PWD/cmd/weightprint-bench/testdata/peers.py"
go build -o "$peers/bench" ./cmd/weightprint-bench
exec "$peers/bench" speed \
  --peer "files-1.1B-child=$work awm" \
  --peer "files-1.1B-strangers=$work awm" \
  --peer "fingerprint=$peers/bin/b3sum model.safetensors" \
  --peer "commit=$work signing" \
  --peer "index-search=$work faiss 20000 768 10" \
  --peer "headers-163=$work safetensors" \
  --peer "headers-1=$work safetensors" \
  "$@"
