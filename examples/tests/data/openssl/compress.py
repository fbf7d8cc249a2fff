"""Writes CompressedData (RFC 3274) with Python's zlib: OpenSSL is often built without."""
import sys, zlib

def tlv(tag, *parts):
    body = b"".join(parts)
    size = len(body)
    if size < 128:
        return bytes([tag, size]) + body
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + body

content = open(sys.argv[1], "rb").read()
zlib_oid = bytes.fromhex("060b2a864886f70d0109100308")
data_oid = bytes.fromhex("06092a864886f70d010701")
type_oid = bytes.fromhex("060b2a864886f70d0109100109")
inner = tlv(0x30, data_oid, tlv(0xA0, tlv(0x04, zlib.compress(content, 9))))
sys.stdout.buffer.write(tlv(0x30, type_oid, tlv(0xA0, tlv(0x30, b"\x02\x01\x00", tlv(0x30, zlib_oid), inner))))
