#!/bin/sh
# Runs the test that fingerprints the golden inputs and compares the digests with
# fingerprint/testdata/golden.txt on several processors; then looks for fused
# multiply-adds (fused.sh).
#
#   internal/bitexact/run.sh [SECONDS]
#
# Foreign processors are emulated by qemu-user-static, which is installed with
# apt-get where that can be done; what cannot run here is said and left out.
# No new part is begun after SECONDS (200 if not given).
set -u
cd "$(dirname "$0")/../.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
limit=${1:-200}
begun=$(date +%s)
failed=0
export CGO_ENABLED=0

late() {
	if [ $(($(date +%s) - begun)) -ge "$limit" ]; then
		echo "bitexact: $1: left out, $limit seconds have passed"
		return 0
	fi
	return 1
}

# digests NAME COMMAND…: run a built test, which compares the digests.
digests() {
	name=$1
	shift
	if (cd fingerprint && "$@" -test.v -test.run '^TestGoldenInputs$') >"$dir/out" 2>&1 && grep -q -e '--- PASS: TestGoldenInputs' "$dir/out"; then
		echo "bitexact: $name: all digests agree"
	else
		echo "bitexact: $name: FAILED: $(grep -m1 -E 'Error:|panic:|qemu|exec format' "$dir/out" || head -1 "$dir/out")"
		failed=1
	fi
}

build() { # build OUT VARIABLE=VALUE…
	out=$1
	shift
	env "$@" go test -c -trimpath -o "$dir/$out" ./fingerprint || { failed=1; return 1; }
}

build v1 GOAMD64=v1 && host=$(go env GOHOSTARCH)
if [ "${host:-}" = amd64 ]; then
	digests "amd64 v1" "$dir/v1"
	digests "amd64 v1, cpu.fma=off cpu.avx2=off" env GODEBUG=cpu.fma=off,cpu.avx2=off "$dir/v1"
	digests "amd64 v1, cpu.all=off" env GODEBUG=cpu.all=off "$dir/v1"
	if grep -q avx2 /proc/cpuinfo 2>/dev/null; then
		build v3 GOAMD64=v3 && digests "amd64 v3" "$dir/v3"
	else
		echo "bitexact: amd64 v3: left out, this processor has no AVX2"
	fi
	build i386 GOARCH=386 && digests "386" "$dir/i386"
else
	digests "${host:-this processor}" "$dir/v1"
fi

# emulator NAME: the path of qemu for a processor.
emulator() { command -v "qemu-$1-static" || command -v "qemu-$1"; }
if ! emulator s390x >/dev/null && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
	(apt-get install -y -q --no-install-recommends qemu-user-static || { apt-get update -q && apt-get install -y -q --no-install-recommends qemu-user-static; }) >"$dir/apt" 2>&1
fi
for pair in arm64:aarch64 s390x:s390x riscv64:riscv64; do
	arch=${pair%:*}
	if ! emulator "${pair#*:}" >/dev/null; then
		echo "bitexact: $arch: left out, qemu-${pair#*:}-static is not here and cannot be installed"
		continue
	fi
	late "$arch" && continue
	build "$arch" "GOARCH=$arch" && digests "$arch" "$(emulator "${pair#*:}")" "$dir/$arch"
done

internal/bitexact/fused.sh || failed=1
exit $failed
