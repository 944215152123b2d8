"""Says of each entry on standard input, in hex and one a line, what its leaf hash is, or that it is none."""

import sys

from verifier.entry import Entry
from verifier.reader import NotVerified

for line in sys.stdin:
    try:
        print(Entry(bytes.fromhex(line)).leaf.hex())
    except (NotVerified, ValueError):
        print("refused")
