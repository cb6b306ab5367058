"""Reads an SPDX 3.0.1 document with the reference bindings, which check every property."""

import sys

from spdx_python_model import v3_0_1 as spdx

objects = spdx.SHACLObjectSet()
with open(sys.argv[1], "rb") as f:
    spdx.JSONLDDeserializer().read(f, objects)
missing = objects.link()
assert not missing, missing
assert len(list(objects.foreach_type(spdx.ai_AIPackage))) == 2
out = spdx.JSONLDSerializer()
out.write(objects, open("/dev/null", "wb"))
