#!/bin/sh
# scripts/keep.sh VERSION [PROGRAM]: the files that later versions must be able to
# read, written by the released program into cmd/weightprint/testdata/kept/VERSION. It
# is run once a release and never again for it.
set -eu
version=${1:?usage: scripts/keep.sh VERSION [PROGRAM]}
cd "$(dirname "$0")/.."
to=$PWD/cmd/weightprint/testdata/kept/$version
[ ! -e "$to" ] || { echo "$to is there already: kept files are never written anew" >&2; exit 2; }
keys=$(mktemp -d)
trap 'rm -rf "$keys"' EXIT
if [ $# -gt 1 ]; then wp=$2; else wp=$keys/weightprint; go build -o "$wp" ./cmd/weightprint; fi
for who in a b runner; do
  openssl genpkey -algorithm ed25519 -out "$keys/$who.key"
  openssl pkey -in "$keys/$who.key" -pubout -out "$keys/$who.pub"
done
mkdir -p "$to"
go run ./internal/demo/extract "$keys/demo"
cd "$keys/demo"
"$wp" fingerprint base -o "$to/base.wfp"
"$wp" commit base -o "$to/base.commit"
"$wp" index add --index "$to/two.wpi" base other-seed
"$wp" compare base fine-tune --json --pin --nonce "a beacon" -o "$to/report.json"
step() { "$wp" dispute "$@"; }
step init "$to/dispute" --question "was B made from A?" --a "Alpha=$keys/a.pub" --b "Beta=$keys/b.pub" --runner "Court=$keys/runner.pub" --beacon "drand quicknet, round 20000000" --key "$keys/runner.key"
step commit "$to/dispute" base --as a --unseen --opening "$keys/a.opening" --key "$keys/a.key"
step commit "$to/dispute" fine-tune --as b --unseen --opening "$keys/b.opening" --key "$keys/b.key"
step exchange "$to/dispute" --as a --opening "$keys/a.opening" --key "$keys/a.key"
step exchange "$to/dispute" --as b --opening "$keys/b.opening" --key "$keys/b.key"
step run "$to/dispute" base fine-tune --beacon 8f3c51d0a9 --key "$keys/runner.key"
step close "$to/dispute" --key "$keys/runner.key"
