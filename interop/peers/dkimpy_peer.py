"""dkimpy, both ways, without DNS.

dkimpy_peer.py verify MAIL NAME TXT            prints what it says of the mail's DKIM signature; exit 0 if good
dkimpy_peer.py sign MAIL KEY DOMAIN OUT H...   signs with the selector "peer" and these header fields, each oversigned
"""
import sys

import dkim


def main():
    what, mail = sys.argv[1], open(sys.argv[2], "rb").read()
    if what == "verify":
        name, txt = sys.argv[3].rstrip("."), sys.argv[4].encode()
        records = {name: txt}
        look_up = lambda asked, timeout=5: records.get(asked.decode().rstrip("."))
        good = dkim.DKIM(mail, minkey=1024).verify(dnsfunc=look_up)
        print("good" if good else "bad")
        return 0 if good else 1
    key, domain, out, headers = sys.argv[3], sys.argv[4], sys.argv[5], sys.argv[6:]
    include = [header.encode() for header in headers]
    signature = dkim.sign(
        mail, b"peer", domain.encode(), open(key, "rb").read(),
        canonicalize=(b"relaxed", b"relaxed"), include_headers=include,
    )
    open(out, "wb").write(signature + mail)
    return 0


sys.exit(main())
