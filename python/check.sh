#!/bin/sh
# python/check.sh [PACKAGE…]: builds the wheel of this machine, installs it into a
# fresh environment with the packages named, and runs the tests against it there.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 wheels.py --targets host --out "$work/dist"
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q "$work"/dist/*.whl pytest numpy safetensors pandas tqdm twine check-wheel-contents mypy "$@"
[ -z "${SITE:-}" ] || echo "$SITE" > "$("$work/env/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/site.pth"
"$work/env/bin/twine" check --strict "$work"/dist/*.whl
"$work/env/bin/check-wheel-contents" "$work"/dist/*.whl
"$work/env/bin/python" inspected.py "$work"/dist/*.whl
"$work/env/bin/python" -m mypy --strict src/weightprint wheels.py inspected.py
"$work/env/bin/python" -m pytest -q -p no:cacheprovider tests
