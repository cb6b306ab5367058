#!/bin/sh
# scripts/release.sh VERSION [OUTPUT [FLAGS…]]: the programs of a release for all
# systems, with digests, bills of materials and licences. The same sources and the
# same Go release give the same bytes in any folder. -key FILE signs the digests,
# -targets linux/amd64 builds one system only.
set -eu
version=${1:?usage: scripts/release.sh VERSION [OUTPUT [FLAGS]]}
out=${2:-build/release}
[ $# -gt 2 ] && shift 2 || shift $#
case $out in /*) ;; *) out=$PWD/$out ;; esac
cd "$(dirname "$0")/.."
go mod verify
exec go run ./internal/release -version "$version" -o "$out" "$@"
