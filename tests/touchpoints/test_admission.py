"""Admission: networks and client certificates, asked before anything else."""

import ipaddress
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.touchpoints.factory import make_request, make_touchpoint
from touchpoints.admission import admit
from touchpoints.receive import receive
from touchpoints.request import Refused, Verified
from touchpoints.touchpoint import Touchpoint, Verification

OURS = "ab" * 32


def touchpoint(**fields: Any) -> Touchpoint:
    """An unsigned touchpoint without a handshake."""
    return make_touchpoint(
        "generic", verification=Verification(scheme="none", allow_unsigned=True), alternatives=(), handshake="", **fields
    )


@pytest.mark.parametrize(
    ("networks", "remote", "admitted"),
    [
        (("192.0.2.0/24",), "192.0.2.255", True),
        (("192.0.2.0/24",), "192.0.3.0", False),
        (("192.0.2.7",), "192.0.2.7", True),
        (("192.0.2.7",), "192.0.2.8", False),
        (("198.51.100.0/24", "192.0.2.7"), "192.0.2.7", True),
        (("0.0.0.0/0",), "203.0.113.9", True),
        (("0.0.0.0/0",), "2001:db8::1", False),
        (("::/0",), "203.0.113.9", False),
        (("2001:db8::/32",), "2001:db8:ffff::1", True),
        (("2001:db8::/32",), "2001:db9::1", False),
        (("192.0.2.0/24",), "::ffff:192.0.2.9", True),
        (("192.0.2.0/24",), "::ffff:c000:0209", True),
        (("192.0.2.0/24",), "::192.0.2.9", False),
        (("::ffff:192.0.2.0/120",), "192.0.2.9", True),
        (("::ffff:192.0.2.0/120",), "::ffff:192.0.2.9", True),
        (("::ffff:192.0.2.0/120",), "192.0.3.9", False),
        (("::/64",), "192.0.2.9", False),
        (("fe80::/10",), "fe80::1%eth0", True),
        (("0.0.0.0/0", "::/0"), "", False),
        (("0.0.0.0/0", "::/0"), "test", False),
        (("0.0.0.0/0", "::/0"), "192.0.2.7:4711", False),
        (("0.0.0.0/0", "::/0"), "unknown, 192.0.2.7", False),
    ],
)
def test_a_sender_must_come_from_one_of_the_networks(networks: tuple[str, ...], remote: str, admitted: bool) -> None:
    """IPv4 that stands in IPv6 is IPv4 on both sides; what is no address comes from nowhere."""
    found = admit(make_request(remote=remote), touchpoint(networks=networks))
    assert found == (None if admitted else Refused(code="network_not_allowed"))


@given(data=st.data(), version=st.sampled_from([4, 6]))
def test_an_address_is_admitted_where_its_bits_say_so(data: st.DataObject, version: int) -> None:
    """The prefix decides, however near an address is."""
    make, width = (ipaddress.IPv4Address, 32) if version == 4 else (ipaddress.IPv6Address, 128)
    base = data.draw(st.integers(0, 2**width - 1))
    free = data.draw(st.integers(0, width))
    other = base ^ (data.draw(st.integers(0, 2**width - 1)) >> data.draw(st.integers(0, width)))
    assume(version == 4 or {base >> 32, other >> 32}.isdisjoint({0xFFFF}))
    allowed = ipaddress.ip_network(f"{make(base)}/{width - free}", strict=False)
    found = admit(make_request(remote=str(make(other))), touchpoint(networks=(str(allowed),)))
    assert (found is None) == (base >> free == other >> free)


@given(remote=st.text(max_size=40))
def test_no_address_makes_it_raise(remote: str) -> None:
    """Whatever stands for the sender's address."""
    found = admit(make_request(remote=remote), touchpoint(networks=("255.255.255.255",)))
    assert found == Refused(code="network_not_allowed")


@pytest.mark.parametrize(
    ("known", "shown", "code"),
    [
        ((OURS,), OURS, ""),
        ((OURS.upper(),), OURS, ""),
        ((":".join(["AB"] * 32),), OURS, ""),
        (("cd" * 32, OURS), OURS, ""),
        ((OURS,), "", "client_certificate_missing"),
        ((OURS,), "ac" * 32, "client_certificate_wrong"),
        ((OURS,), OURS[:-2], "client_certificate_wrong"),
        ((OURS,), "\u00e4", "client_certificate_wrong"),
    ],
)
def test_a_sender_must_have_proved_one_of_the_certificates(known: tuple[str, ...], shown: str, code: str) -> None:
    """By the whole fingerprint, however it is written in the settings."""
    found = admit(make_request(client_certificate=shown), touchpoint(client_certificates=known))
    assert found == (Refused(code=code) if code else None)


def test_a_touchpoint_without_conditions_admits_everybody() -> None:
    """From anywhere, without a certificate."""
    assert admit(make_request(remote=""), touchpoint()) is None


def test_both_conditions_hold_together_and_beside_the_proof() -> None:
    """Neither stands in for the other, nor for a signature."""
    both = touchpoint(networks=("192.0.2.0/24",), client_certificates=(OURS,))
    assert isinstance(receive(make_request(client_certificate=OURS), both), Verified)
    assert receive(make_request(client_certificate=OURS, remote="203.0.113.1"), both) == Refused(code="network_not_allowed")
    assert receive(make_request(), both) == Refused(code="client_certificate_missing")
    signed = make_touchpoint("shopify", "hush", networks=("192.0.2.0/24",), client_certificates=(OURS,))
    assert receive(make_request(client_certificate=OURS), signed) == Refused(code="signature_missing")


def test_it_is_asked_before_a_handshake_is_answered() -> None:
    """A stranger learns nothing from a touchpoint that names its senders' networks."""
    slack = make_touchpoint("slack", "hush", networks=("198.51.100.0/24",))
    challenge = make_request(b'{"type": "url_verification", "challenge": "abc"}')
    assert receive(challenge, slack) == Refused(code="network_not_allowed")
