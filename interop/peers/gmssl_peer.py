"""The SM2, SM3 and SM4 of GmSSL's library, as PyPI gmssl-pyx ships it.

Reads calls from standard input, one a line: a function of gmssl_pyx and its arguments, octets as hexadecimal digits behind
"0x". Answers each with a line: the octets or truth value it gave, or "refused".
"""
import sys

import gmssl_pyx


def text(value):
    if isinstance(value, tuple):
        return " ".join(text(part) for part in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "0x" + value.hex()


for line in sys.stdin:
    name, *arguments = line.split()
    try:
        given = [bytes.fromhex(a[2:]) if a.startswith("0x") else int(a) for a in arguments]
        print(text(getattr(gmssl_pyx, name)(*given)))
    except gmssl_pyx.GmsslInnerError:
        print("refused")
