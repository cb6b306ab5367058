#!/bin/sh
# Holds the exported names of the library against those of the last version:
# within a major version nothing goes away or changes its meaning.
#
#   internal/tools/api/check.sh [TAG]
#
# It fails on an incompatible change since v1; before that, and of pre-releases, it
# only lists them. Without a tag there is nothing to hold against, which it says.
set -eu
cd "$(dirname "$0")/../../.."
tag=${1:-$(git describe --tags --abbrev=0 --match 'v[0-9]*' 2>/dev/null || true)}
if [ -z "$tag" ]; then
	echo "api: left out, there is no version yet to compare with"
	exit 0
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
module=$(go list -m)
go build -modfile=internal/tools/api/go.mod -o "$dir/apidiff" golang.org/x/exp/cmd/apidiff
mkdir "$dir/old"
git archive "$tag" | tar -x -C "$dir/old"
(cd "$dir/old" && "$dir/apidiff" -m -w "$dir/old.api" "$module") >"$dir/log" 2>&1 || { cat "$dir/log"; exit 1; }
"$dir/apidiff" -m -w "$dir/new.api" "$module" >"$dir/log" 2>&1 || { cat "$dir/log"; exit 1; }
"$dir/apidiff" -m -incompatible "$dir/old.api" "$dir/new.api" >"$dir/changes" 2>>"$dir/log"
if [ ! -s "$dir/changes" ]; then
	echo "api: nothing that $tag exports was removed or changed"
	exit 0
fi
echo "api: incompatible changes since $tag:"
cat "$dir/changes"
case $tag in
v0.* | *-*) echo "api: $tag promises nothing" ;;
*) exit 1 ;;
esac
