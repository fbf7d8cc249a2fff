#!/bin/sh
# Makes the vectors of this folder with OpenSSL 3 from the certificates and keys in ../keys. See README.md.
set -eu
cd "$(dirname "$0")"
keys=../keys
work=$(mktemp -d)
serial() { openssl x509 -in "$1" -noout -serial | sed 's/serial=//'; }
row() { # status, revocation, certificate
    printf '%s\t460101000000Z\t%s\t%s\tunknown\t/CN=x\n' "$1" "$2" "$(serial "$3")"
}
for family in rsa p256 sm2; do
    case $family in
    sm2) md=sm3; id="-sigopt distid:1234567812345678"; rid="-rsigopt distid:1234567812345678" ;;
    *) md=sha256; id=; rid= ;;
    esac
    second=$keys/$family-enc.crt
    [ -f "$second" ] || second=$keys/$family-agr.crt
    {
        row R 261124000000Z,keyCompromise "$keys/$family-sig.crt"
        row R 261125000000Z,superseded "$second"
        row V '' "$keys/$family-tsa.crt"
    } >"$work/index"
    printf '01\n' >"$work/number"
    cat >"$work/conf" <<C
[ca]
default_ca = this
[this]
database = $work/index
crlnumber = $work/number
default_md = $md
[crl]
authorityKeyIdentifier = keyid
[responder]
extendedKeyUsage = critical, OCSPSigning
keyUsage = critical, digitalSignature
noCheck = ignored
[wrong]
extendedKeyUsage = critical, emailProtection
keyUsage = critical, digitalSignature
C
    ca="-cert $keys/$family-ca.crt -keyfile $keys/$family-ca.key"
    # shellcheck disable=SC2086
    openssl ca -config "$work/conf" $ca $id -gencrl -crlexts crl \
        -crl_lastupdate 20270110000000Z -crl_nextupdate 20270210000000Z -out $family-ca.crl
    case $family in
    rsa) openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$work/key" ;;
    p256) openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/key" ;;
    sm2) openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:SM2 -out "$work/key" ;;
    esac
    for kind in responder wrong; do
        # shellcheck disable=SC2086
        openssl req -new -key "$work/key" -$md $id -subj "/CN=$family $kind" -out "$work/csr"
        vfy=; [ $family = sm2 ] && vfy="-vfyopt distid:1234567812345678"
        # shellcheck disable=SC2086
        openssl x509 -req -in "$work/csr" $vfy -CA $keys/$family-ca.crt -CAkey $keys/$family-ca.key -$md $id \
            -set_serial 77 -days 7000 -extfile "$work/conf" -extensions $kind -out "$work/$kind.crt"
    done
    for hash in sha1 sha256 sm3; do
        [ $hash = sm3 ] && [ $family != sm2 ] && continue
        openssl ocsp -issuer $keys/$family-ca.crt -$hash -no_nonce -cert $keys/$family-sig.crt \
            -$hash -cert "$second" -$hash -cert $keys/$family-tsa.crt -reqout "$work/$hash"
    done
    answer() { # request, signer, key, out, more
        request=$1 signer=$2 key=$3 out=$4
        shift 4
        # shellcheck disable=SC2086
        openssl ocsp -index "$work/index" -CA $keys/$family-ca.crt -rsigner "$signer" -rkey "$key" -rmd $md $rid \
            -reqin "$work/$request" -respout "$out" "$@" >/dev/null
    }
    answer sha1 $keys/$family-ca.crt $keys/$family-ca.key $family-issuer.ocsp -ndays 3650
    answer sha256 "$work/responder.crt" "$work/key" $family-responder.ocsp -ndays 3650 -resp_key_id
    answer sha256 "$work/wrong.crt" "$work/key" $family-wrong.ocsp -ndays 3650
    answer sha256 $keys/$family-sig.crt $keys/$family-sig.key $family-leaf.ocsp -ndays 3650
    [ $family = sm2 ] && answer sm3 $keys/$family-ca.crt $keys/$family-ca.key $family-sm3.ocsp -ndays 3650
    answer sha256 $keys/$family-ca.crt $keys/$family-ca.key $family-no-next.ocsp
    # Of another index: all are unknown to it.
    : >"$work/index"
    answer sha1 $keys/$family-ca.crt $keys/$family-ca.key $family-unknown.ocsp -ndays 3650
done
rm -r "$work"
