"""Reads each bundle on standard input, one a line, with what the Sigstore project's own client reads them with."""

import sys

from sigstore_models.bundle.v1 import Bundle

for line in sys.stdin:
    try:
        bundle = Bundle.from_json(line)
    except ValueError:
        print("refused")
    else:
        print(bundle.verification_material.public_key.hint, bundle.dsse_envelope.payload_type)
