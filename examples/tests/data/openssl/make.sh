#!/bin/sh
# Makes the files of this folder anew, with OpenSSL 3.0. The keys protect nothing.
set -e
cd "$(dirname "$0")"
K=../peers/keys
rm -f *.pem *.crt *.key *.der *.crl *.eml
T=$(mktemp -d)

# A certification request that names more than mailboxes, and one of a key that is not known here.
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $T/k -subj "/C=CN/O=Example/CN=www.example.org" \
  -addext "subjectAltName=DNS:www.example.org,email:alice@example.test,URI:https://example.org/,IP:192.0.2.1" -out csr-dns.pem 2>/dev/null
openssl genpkey -algorithm ed25519 -out ed25519.key
openssl req -new -key ed25519.key -subj "/CN=ed" -out csr-ed25519.pem

# An old signer: RSA of 1024 bits, SHA-1 throughout.
openssl req -x509 -newkey rsa:1024 -sha1 -nodes -keyout $T/old-ca.key -subj "/CN=old CA" -days 7300 \
  -addext "keyUsage=critical,keyCertSign,cRLSign" -out old-ca.crt 2>/dev/null
openssl req -new -newkey rsa:1024 -nodes -keyout old.key -subj "/CN=old alice" -out $T/old.csr 2>/dev/null
printf 'subjectAltName=email:alice@example.test\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=emailProtection\n' > $T/ext
openssl x509 -req -sha1 -in $T/old.csr -CA old-ca.crt -CAkey $T/old-ca.key -set_serial 0x1234567890abcdef12 -days 7000 -extfile $T/ext -out old.crt 2>/dev/null
openssl cms -sign -nodetach -binary -md sha1 -in ../peers/msg.txt -signer old.crt -inkey old.key -outform DER -out old-sha1.der

# Certificates of the four levels, and one with everything that is unusual.
for L in mv:1.3 iv:4.2 ov:2.1 sv:3.3; do
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $T/k -subj "/CN=alice ${L%%:*}" -out $T/csr 2>/dev/null
  printf "subjectAltName=email:alice@example.test\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=emailProtection\ncertificatePolicies=2.23.140.1.5.${L##*:}\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\ncrlDistributionPoints=URI:http://crl.example.test/ca.crl\n" > $T/ext
  openssl x509 -req -in $T/csr -CA $K/p256-ca.crt -CAkey $K/p256-ca.key -set_serial 0x11223344556677889900${L##*.} -days 800 -extfile $T/ext -out level-${L%%:*}.crt 2>/dev/null
done
openssl req -x509 -newkey rsa:1024 -sha1 -nodes -keyout $T/k -subj "/CN=odd/emailAddress=alice@example.test" -days 7000 -set_serial 5 \
  -addext "keyUsage=digitalSignature,keyEncipherment" -addext "extendedKeyUsage=serverAuth" -addext "basicConstraints=CA:FALSE" \
  -addext "subjectKeyIdentifier=none" -addext "authorityKeyIdentifier=none" -out odd.crt 2>/dev/null

# Revocation: CRLs of the RSA CA, one that revokes rsa-sig, and OCSP answers.
: > $T/index; echo 01 > $T/number
printf "[ca]\ndefault_ca=d\n[d]\ndatabase=$T/index\ncrlnumber=$T/number\ndefault_md=sha256\ndefault_crl_days=7000\n" > $T/ca.cnf
openssl ca -config $T/ca.cnf -gencrl -cert $K/rsa-ca.crt -keyfile $K/rsa-ca.key -out good.crl
SERIAL=$(openssl x509 -in $K/rsa-sig.crt -noout -serial | cut -d= -f2)
printf "V\t461118170745Z\t\t$SERIAL\tunknown\t/C=CN/O=AECM peer test/CN=alice rsa sig\n" > $T/index
openssl ocsp -index $T/index -CA $K/rsa-ca.crt -issuer $K/rsa-ca.crt -cert $K/rsa-sig.crt -rsigner $K/rsa-ca.crt -rkey $K/rsa-ca.key -ndays 7000 -respout ocsp-good.der >/dev/null 2>&1
printf "R\t461118170745Z\t261123170800Z,keyCompromise\t$SERIAL\tunknown\t/C=CN/O=AECM peer test/CN=alice rsa sig\n" > $T/index
openssl ocsp -index $T/index -CA $K/rsa-ca.crt -issuer $K/rsa-ca.crt -cert $K/rsa-sig.crt -rsigner $K/rsa-ca.crt -rkey $K/rsa-ca.key -ndays 7000 -respout ocsp-revoked.der >/dev/null 2>&1
openssl ca -config $T/ca.cnf -gencrl -cert $K/rsa-ca.crt -keyfile $K/rsa-ca.key -out revoked.crl

# A detached signature, a signed mail in pieces of both kinds, an opaque one, certificates alone.
openssl cms -sign -binary -in ../peers/msg.txt -signer $K/rsa-sig.crt -inkey $K/rsa-sig.key -outform DER -out detached.der
openssl cms -sign -binary -in ../peers/msg.txt -signer $K/rsa-sig.crt -inkey $K/rsa-sig.key -outform PEM -nodetach -out attached.pem
openssl cms -sign -in ../peers/msg.txt -signer $K/rsa-sig.crt -inkey $K/rsa-sig.key -nodetach -from "alice@example.test" -to "bob@example.test" -subject "opaque" -out opaque.eml
openssl cms -encrypt -aes256 -in opaque.eml -from "alice@example.test" -to "bob@example.test" -subject "cbc around a signature" -out cbc-signed.eml $K/rsa-enc.crt
openssl cms -encrypt -aes256 -in ../peers/msg.txt -from "alice@example.test" -to "bob@example.test" -subject "cbc" -out cbc.eml $K/rsa-enc.crt
openssl cms -encrypt -aes-256-gcm -in opaque.eml -from "alice@example.test" -to "bob@example.test" -subject "gcm around a signature" -out gcm-signed.eml $K/rsa-enc.crt
openssl crl2pkcs7 -nocrl -certfile $K/rsa-sig.crt -certfile $K/rsa-ca.crt -outform DER -out certs-only.der

# Secrets instead of keys, and compression.
openssl cms -EncryptedData_encrypt -aes-256-cbc -secretkey 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f -in ../peers/msg.txt -binary -outform DER -out encrypted-data.der
openssl cms -encrypt -binary -aes-256-cbc -pwri_password secret -in ../peers/msg.txt -outform DER -out password.der
openssl cms -encrypt -binary -aes128 -secretkey 000102030405060708090a0b0c0d0e0f -secretkeyid c0fefe -in ../peers/msg.txt -outform DER -out shared-key.der
python3 compress.py ../peers/msg.txt > compressed.der
head -c 50000000 /dev/zero > $T/zeros && python3 compress.py $T/zeros > bomb.der

# Keys in the other forms.
openssl ec -in $K/p256-sig.key -out sec1.key 2>/dev/null
openssl rsa -traditional -in $K/rsa-sig.key -out pkcs1.key 2>/dev/null
openssl pkcs8 -topk8 -v2 aes256 -passout pass:test -in $K/p256-sig.key -out encrypted.key
openssl pkey -in $K/sm2-sig.key -outform DER -out sm2-sig.der
openssl pkcs8 -topk8 -nocrypt -in $K/sm2-sig.key -outform DER -out sm2-pkcs8.der
openssl pkcs12 -export -inkey $K/rsa-sig.key -in $K/rsa-sig.crt -certfile $K/rsa-ca.crt -name alice -passout pass:test -out rsa-sig.p12
openssl pkcs12 -export -inkey $K/rsa-enc.key -in $K/rsa-enc.crt -passout pass:test -out rsa-enc.p12
# Encryption of old: 3DES and RC2.
openssl pkcs12 -export -legacy -inkey $K/rsa-sig.key -in $K/rsa-sig.crt -passout pass:test -out legacy-rc2.p12
openssl pkcs8 -topk8 -v1 PBE-SHA1-3DES -passout pass:test -in $K/p256-sig.key -out legacy-3des.key
openssl rsa -des3 -traditional -passout pass:test -in $K/rsa-sig.key -out legacy-pem.key 2>/dev/null
rm -r $T
