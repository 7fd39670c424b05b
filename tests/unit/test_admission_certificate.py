"""The certificate that the operator makes for its webhook."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from haapp.admission.certificate import AUTHORITIES_KEPT, RENEWED_BEFORE_END, VALID, KeyPair, hosts_of, issue, serves

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOST = "haapp-operator-admission.haapp-system.svc"
DAY = timedelta(days=1)


def authorities(pair: KeyPair) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(pair.authorities)


@pytest.fixture(scope="module")
def pair() -> KeyPair:
    return issue([HOST, "127.0.0.1"], NOW)


def test_it_is_for_its_hosts_until_it_is_due(pair: KeyPair) -> None:
    assert hosts_of(pair) == {HOST, "127.0.0.1"}
    assert serves(pair, HOST, NOW)
    assert serves(pair, "127.0.0.1", NOW + VALID - RENEWED_BEFORE_END - DAY)
    assert not serves(pair, HOST, NOW + VALID - RENEWED_BEFORE_END)
    assert not serves(pair, HOST, NOW - DAY)
    assert not serves(pair, "elsewhere.svc", NOW)


def test_it_may_sign_nothing_and_its_authority_nothing_else(pair: KeyPair) -> None:
    (authority,) = authorities(pair)
    certificate = x509.load_pem_x509_certificate(pair.certificate)
    certificate.verify_directly_issued_by(authority)
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert authority.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0
    assert pair.key.count(b"PRIVATE KEY") == 2  # the certificate's own; the authority's is forgotten


def test_a_pair_that_is_not_whole_serves_nothing(pair: KeyPair) -> None:
    other = issue([HOST], NOW)
    assert not serves(KeyPair(b"", b"", b""), HOST, NOW)
    assert not serves(KeyPair(pair.certificate, other.key, pair.authorities), HOST, NOW)
    assert not serves(KeyPair(pair.certificate, pair.key, other.authorities), HOST, NOW)
    assert not serves(KeyPair(pair.certificate, b"junk", pair.authorities), HOST, NOW)
    assert not serves(KeyPair(b"junk", pair.key, b"junk"), HOST, NOW)
    assert hosts_of(KeyPair(b"junk", b"", b"")) == frozenset()


def test_what_it_replaces_stays_trusted_until_that_runs_out(pair: KeyPair) -> None:
    renewed = issue([HOST], NOW + 61 * DAY, pair)
    assert authorities(renewed)[1:] == authorities(pair)
    assert serves(renewed, HOST, NOW + 61 * DAY)
    later = issue([HOST], NOW + 2 * VALID, renewed)
    assert len(authorities(later)) == 1


def test_the_bundle_does_not_grow(pair: KeyPair) -> None:
    for _ in range(AUTHORITIES_KEPT + 2):
        pair = issue([HOST], NOW, pair)
    assert len(authorities(pair)) == AUTHORITIES_KEPT
