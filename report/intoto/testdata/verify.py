"""Checks a DSSE envelope with securesystemslib, an implementation of its own.

usage: verify.py ENVELOPE.json PUBLIC.pem     prints the payload's predicate type
"""
import json
import sys

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey

with open(sys.argv[1]) as f:
    raw = json.load(f)
keyid = raw["signatures"][0]["keyid"]
with open(sys.argv[2], "rb") as f:
    key = SSlibKey.from_crypto(load_pem_public_key(f.read()), keyid=keyid)
envelope = Envelope.from_dict(raw)
envelope.verify([key], 1)
print(json.loads(envelope.payload)["predicateType"])
