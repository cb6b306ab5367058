#!/bin/sh
# sh verify.sh A B: holds this folder against its digests and against the two models.
set -eu
[ $# -eq 2 ] || { echo "usage: sh verify.sh PATH-OF-A PATH-OF-B" >&2; exit 64; }
here=$(dirname "$0")
(cd "$here" && sha256sum -c SHA256SUMS >/dev/null) || { echo "a file of this folder is not the one that was handed over" >&2; exit 4; }
command -v weightprint >/dev/null || { echo "the digests agree; install weightprint to make the report anew" >&2; exit 2; }
exec weightprint verify "$here" "$1" "$2"
