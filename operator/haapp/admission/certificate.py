"""The webhook's own certificate, with an authority that signs this one certificate and whose key is then forgotten."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID: Final = timedelta(days=90)
RENEWED_BEFORE_END: Final = timedelta(days=30)
CLOCKS_DIFFER: Final = timedelta(hours=1)
AUTHORITIES_KEPT: Final = 3
"""Authorities that stay trusted, the newest first: a replica may still serve the certificate of the one before."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """What a server needs and what its clients trust, each as PEM."""

    certificate: bytes
    key: bytes
    authorities: bytes


def issue(hosts: Iterable[str], now: datetime, before: KeyPair | None = None) -> KeyPair:
    """A new certificate for these names and addresses, valid from `now` (aware), that may take the place of `before`:
    authorities of that one which have not run out stay in the bundle."""
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = _authority(authority_key, now)
    certificate = _certificate(hosts, key, authority, authority_key, now)
    trusted = [authority, *(old for old in _authorities(before) if old.not_valid_after_utc > now)]
    return KeyPair(
        certificate=_pem(certificate),
        key=key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
        authorities=b"".join(map(_pem, trusted[:AUTHORITIES_KEPT])),
    )


def serves(pair: KeyPair, host: str, now: datetime) -> bool:
    """Whether the pair is whole, trusted by its own bundle, made for `host`, and not yet to be renewed."""
    try:
        certificate = x509.load_pem_x509_certificate(pair.certificate)
        key = serialization.load_pem_private_key(pair.key, password=None)
        certificate.verify_directly_issued_by(_authorities(pair)[0])
    except (ValueError, TypeError, IndexError, InvalidSignature):
        return False
    return (
        key.public_key() == certificate.public_key()
        and host in hosts_of(pair)
        and certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc - RENEWED_BEFORE_END
    )


def hosts_of(pair: KeyPair) -> frozenset[str]:
    """The names and addresses that the certificate is for; none if it cannot be read."""
    try:
        certificate = x509.load_pem_x509_certificate(pair.certificate)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return frozenset()
    addresses = map(str, names.get_values_for_type(x509.IPAddress))
    return frozenset([*names.get_values_for_type(x509.DNSName), *addresses])


def _authority(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    name = _name("haapp-operator-admission authority")
    return (
        _builder(name, name, key, now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(sign_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def _certificate(
    hosts: Iterable[str],
    key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    now: datetime,
) -> x509.Certificate:
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    return (
        _builder(_name("haapp-operator-admission"), authority.subject, key, now)
        .add_extension(x509.SubjectAlternativeName([_general_name(host) for host in sorted(hosts)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(issuer, critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCKS_DIFFER)
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _authorities(pair: KeyPair | None) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pair.authorities) if pair else []
    except ValueError:
        return []


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
