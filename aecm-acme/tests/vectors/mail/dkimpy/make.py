"""Writes the mails of this directory with dkimpy 1.1.8 and two new keys. Usage: make.py KEY2048.pem KEY1024.pem"""
import base64, sys
import dkim
from cryptography.hazmat.primitives import serialization as s

STRONG, SHORT = (open(path, "rb").read() for path in sys.argv[1:3])
FULL = ["From", "Sender", "Reply-To", "To", "Cc", "Subject", "Date", "In-Reply-To", "References", "Message-ID",
        "Auto-Submitted", "Content-Type", "Content-Transfer-Encoding"]
PLAIN = (b"From: Joe <joe@ca.example.test>\r\nTo: suzie@example.test\r\nSubject: Is  dinner\r\n\tready?\r\n"
         b"Date: Mon, 23 Nov 2026 08:00:00 +0000\r\nMessage-ID: <1@ca.example.test>\r\nX-Many: from a\r\n"
         b"X-Many: from b\r\n\r\nHi. \t \r\n\r\n  We lost  the game.\r\nJoe.\r\n\r\n\r\n")
CHALLENGE = (b"From: acme@ca.example.test\r\nTo: bob@example.test\r\n"
             b"Subject: =?UTF-8?Q?ACME:_LgYemJLy3F1LDkiJrdIGbEzyFJyOyf6?=\r\n =?UTF-8?Q?vBdyZ1TG3sME=3D?=\r\n"
             b"Date: Mon, 23 Nov 2026 08:00:00 +0000\r\nMessage-ID: <2@ca.example.test>\r\n"
             b"Auto-Submitted: auto-generated; type=acme\r\nMIME-Version: 1.0\r\n"
             b"Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n\r\nACME.\r\n")


def record(key):
    key = s.load_pem_private_key(key, None).public_key()
    spki = key.public_bytes(s.Encoding.DER, s.PublicFormat.SubjectPublicKeyInfo)
    return "v=DKIM1; k=rsa; p=" + base64.b64encode(spki).decode()


def save(name, mail, selector, key, **options):
    signed = dkim.sign(mail, selector, b"ca.example.test", key, **options) + mail
    open(name + ".eml", "wb").write(signed)


for head in (b"simple", b"relaxed"):
    for body in (b"simple", b"relaxed"):
        save(f"{head.decode()}-{body.decode()}", PLAIN, b"strong", STRONG, canonicalize=(head, body),
             include_headers=[b"From", b"To", b"Subject", b"Date", b"Message-ID", b"X-Many", b"From"])
save("empty-body-simple", PLAIN.split(b"\r\n\r\n")[0] + b"\r\n\r\n", b"strong", STRONG, canonicalize=(b"simple", b"simple"))
save("empty-body-relaxed", PLAIN.split(b"\r\n\r\n")[0] + b"\r\n\r\n", b"strong", STRONG, canonicalize=(b"relaxed", b"relaxed"))
save("short-key", PLAIN, b"short", SHORT, canonicalize=(b"relaxed", b"relaxed"))
save("body-length", PLAIN, b"strong", STRONG, canonicalize=(b"relaxed", b"relaxed"), length=True)
save("rsa-sha1", PLAIN, b"strong", STRONG, canonicalize=(b"relaxed", b"relaxed"), signature_algorithm=b"rsa-sha1")
save("challenge-oversigned", CHALLENGE, b"strong", STRONG, canonicalize=(b"relaxed", b"relaxed"),
     include_headers=[name.encode() for name in FULL + ["From", "To", "Subject", "Date"]])
with open("dns.txt", "w") as out:
    print("strong._domainkey.ca.example.test", record(STRONG), sep="\t", file=out)
    print("short._domainkey.ca.example.test", record(SHORT), sep="\t", file=out)
