#!/bin/sh
# Holds a running service against its description: schemathesis.sh WEIGHTPRINT PRINTS
# runs schemathesis (pip install schemathesis; $SCHEMATHESIS names it) against
# `weightprint serve` with an index of the fingerprint files in the folder PRINTS.
set -eu
weightprint=$1
WEIGHTPRINT_PRINTS=$(cd "$2" && pwd)
export WEIGHTPRINT_PRINTS
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
server=
trap 'test -z "$server" || kill "$server" 2>/dev/null; rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
"$weightprint" index add --index "$dir/index" "$WEIGHTPRINT_PRINTS"/*.wfp >/dev/null
echo "tester 0123456789abcdef" >"$dir/tokens"
"$weightprint" serve --index "$dir/index" --listen 127.0.0.1:0 --tokens "$dir/tokens" --rate 1e6 --burst 1000000 2>"$dir/log" &
server=$!
url=
while test -z "$url"; do
	sleep 0.1
	kill -0 "$server"
	url=$(sed -n 's/^weightprint: listening on //p' "$dir/log")
done
cd "$dir"
SCHEMATHESIS_HOOKS=schemathesis_hooks PYTHONPATH=$here "${SCHEMATHESIS:-schemathesis}" run "$url/openapi.json" \
	-H "Authorization: Bearer 0123456789abcdef" --max-examples "${EXAMPLES:-50}" --seed 1
