"""Bodies that the service accepts: schemathesis draws the rest from the description."""

import base64
import json
import os
from pathlib import Path

import schemathesis
from hypothesis import strategies as st

PRINTS = [p.read_bytes() for p in sorted(Path(os.environ["WEIGHTPRINT_PRINTS"]).glob("*.wfp"))]


def record(ref, print_):
    line = {"schema": "weightprint.fingerprint/1", "ref": ref, "fingerprint": base64.b64encode(print_).decode()}
    return json.dumps(line).encode() + b"\n"


schemathesis.openapi.media_type("application/octet-stream", st.sampled_from(PRINTS))
schemathesis.openapi.media_type(
    "application/x-ndjson",
    st.lists(st.builds(record, st.text(max_size=40), st.sampled_from(PRINTS)), min_size=1, max_size=4).map(b"".join),
)
