"""Says of each package on standard input whether its signature holds, or what is wrong.

    judge_packages.py KEY SECONDS < component, manifest and signature file in hex and with commas between, one package a line

KEY is the public key's 32 bytes in hex, SECONDS the time since 1970."""

import sys
from datetime import datetime, timezone

from signing.package import NotVerified, verify

key, now = bytes.fromhex(sys.argv[1]), datetime.fromtimestamp(int(sys.argv[2]), timezone.utc)
for line in sys.stdin:
    try:
        verify(*map(bytes.fromhex, line.split(",")), key, now)
        print("verified")
    except NotVerified as wrong:
        print(f"refused: {str(wrong)!a}")
