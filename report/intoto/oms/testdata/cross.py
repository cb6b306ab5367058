"""Signs and verifies models with model_signing, the reference implementation
of the OpenSSF Model Signing specification.

usage: cross.py sign MODEL SIGNATURE PRIVATE.pem files|shards sha256|blake2|blake3
       cross.py verify MODEL SIGNATURE PUBLIC.pem
"""
import pathlib
import sys

import model_signing

verb, model, signature, key = sys.argv[1], *map(pathlib.Path, sys.argv[2:5])
if verb == "verify":
    model_signing.verifying.Config().use_elliptic_key_verifier(public_key=key).verify(model, signature)
else:
    hashing = model_signing.hashing.Config()
    if sys.argv[5] == "shards":
        hashing.use_shard_serialization(hashing_algorithm=sys.argv[6], shard_size=4096)
    else:
        hashing.use_file_serialization(hashing_algorithm=sys.argv[6])
    model_signing.signing.Config().use_elliptic_key_signer(private_key=key).set_hashing_config(hashing).sign(model, signature)
print("ok")
