#!/bin/sh
# Looks for fused multiply-adds in what the packages that record bits compile to,
# on every processor that has them: they round once where the language rounds
# twice. Write float64(x*y)+z, which forbids them.
set -u
cd "$(dirname "$0")/../.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0
export CGO_ENABLED=0
recording="./fingerprint ./internal/dense ./internal/manyhash ./internal/degenerate ./internal/untrained ./internal/rng ./internal/quant ./formats/tensor ./formats/roles ./formats/safetensors ./formats/gguf"
for target in arm64 amd64 ppc64le s390x riscv64; do
	env GOARCH=$target GOAMD64=v3 go build -gcflags=-S $recording >"$dir/asm" 2>&1 || { echo "bitexact: $target: does not build"; failed=1; continue; }
	functions=$(grep -c 'TEXT' "$dir/asm")
	if [ "$functions" -lt 100 ]; then
		echo "bitexact: $target: no listing to look at"
		failed=1
	elif grep -E '	(V?FN?M(ADD|SUB)[0-9]*[PS]?[DS]?|V?W?FM[AS][DS]B)	' "$dir/asm" >"$dir/fused"; then
		echo "bitexact: $target: FUSED multiply-adds:"
		grep -o '[^/]*/[^/]*\.go:[0-9]*' "$dir/fused" | sort | uniq -c
		failed=1
	else
		echo "bitexact: $target: no fused multiply-add in $functions functions"
	fi
done
exit $failed
