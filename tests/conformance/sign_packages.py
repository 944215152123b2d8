"""Signs each package on standard input, and prints its signature file in hex.

    sign_packages.py SEED SIGNED_AT [EXPIRES_AT] < component and manifest in hex and with a comma between, one package a line"""

import sys

from signing.package import sign

seed, signed_at, *expires_at = sys.argv[1:]
for line in sys.stdin:
    component, manifest = map(bytes.fromhex, line.split(","))
    print(sign(component, manifest, bytes.fromhex(seed), signed_at, *expires_at or [None]).encode().hex())
