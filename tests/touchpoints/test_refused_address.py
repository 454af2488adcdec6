"""Addresses that are never called: link-local ones and clouds' metadata services, however written and however come by."""

import ipaddress
import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.touchpoints.destinations.jobs import NOW, job
from tests.touchpoints.destinations.raw_server import RawServer, serving, status
from touchpoints.attempt import Blame, Delivered, Failed, Outcome
from touchpoints.definition_destination import read_destination
from touchpoints.definition_setting import Reading
from touchpoints.destinations.registry import open_sender
from touchpoints.destinations.sender import Sender
from touchpoints.moment import SECOND
from touchpoints.refused_address import is_refused
from touchpoints.touchpoint import HttpDestination

pytestmark = pytest.mark.anyio

METADATA = "169.254.169.254"
CLOSES = status("200 OK", "Connection: close")


@given(st.ip_addresses(network="169.254.0.0/16"))
def test_an_ipv4_link_local_address_is_refused_in_every_form(address: ipaddress.IPv4Address) -> None:
    """Also as IPv6 carries it: mapped, compatible, translated, tunnelled."""
    number = int(address)
    forms = (
        str(address),
        f"::ffff:{address}",
        f"::{address}",
        f"::ffff:0:{address}",
        str(ipaddress.IPv6Address((0x64FF9B << 96) | number)),
        str(ipaddress.IPv6Address((0x64FF9B0001 << 80) | number)),
        str(ipaddress.IPv6Address((0x2002 << 112) | (number << 80))),
        str(ipaddress.IPv6Address((0x20010000 << 96) | (number ^ 0xFFFFFFFF))),
    )
    assert [one for one in forms if not is_refused(one)] == []


@given(st.ip_addresses(network="fe80::/10"), st.sampled_from(["", "%eth0", "%3"]))
def test_an_ipv6_link_local_address_is_refused(address: ipaddress.IPv6Address, zone: str) -> None:
    """With a zone and without."""
    assert is_refused(f"{address}{zone}")


@pytest.mark.parametrize(
    "address",
    [
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "fd00:100::100:200",
        "fd00:42::42",
        "fd00:a9fe:a9fe::1",
        "fd00:c1::a9fe:a9fe",
        "fd00:ec2::23",
        "fd00:ec2::254",
        "fd20:ce::254",
        "::ffff:100.100.100.200",
        "64:ff9b::a83f:8110",
    ],
)
def test_metadata_services_elsewhere_are_refused(address: str) -> None:
    """Some clouds have theirs under addresses that look like any other."""
    assert is_refused(address)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "10.0.0.1", "192.168.1.9", "100.64.0.1", "fd00::1", "203.0.113.9", "erp"]
)
def test_private_addresses_are_what_destinations_are_for(address: str) -> None:
    """And a name is judged by what it comes to."""
    assert not is_refused(address)


def test_an_address_is_allowed_by_itself() -> None:
    """Its other forms with it, its neighbours not."""
    assert not is_refused("169.254.10.5", ("169.254.10.5",))
    assert not is_refused("::ffff:169.254.10.5", ("169.254.10.5",))
    assert is_refused("169.254.10.6", ("169.254.10.5",))


@pytest.mark.parametrize(
    ("listed", "codes"), [(["169.254.10.5"], []), (["10.0.0.1"], ["not_link_local"]), (["x"], ["not_link_local"])]
)
def test_only_such_addresses_are_named(listed: list[str], codes: list[str]) -> None:
    """Another one would stand there to no effect."""
    reading = Reading()
    read_destination({"kind": "http", "url": "http://h/", "link_local": listed}, "d", 1, reading)
    assert [one.code for one in reading.problems] == codes


class Resolver:
    """Names as an attacker's name server tells them: one answer after another, the last for ever."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> None:
        self.asked = 0
        self._answers = answers
        monkeypatch.setattr(socket, "getaddrinfo", self._tell)

    def _tell(self, _host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        answer = self._answers[min(self.asked, len(self._answers) - 1)]
        self.asked += 1
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port)) for address in answer]


def sender_to(server: RawServer) -> Sender:
    """A sender to a name of the attacker's, and the server's port."""
    url = f"http://rebound.example:{server.url.rpartition(':')[2]}"
    return open_sender(
        HttpDestination(id=1, name="erp", url=url, timeout=5 * SECOND, proxy="none"), environment={}, now=lambda: NOW
    )


def assert_refused(outcome: Outcome) -> None:
    """Not called, and said so."""
    assert isinstance(outcome, Failed)
    assert (outcome.blame, outcome.code) == (Blame.DESTINATION, "address_refused")


async def test_a_name_that_leads_to_the_metadata_service_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is innocent; what it comes to is not."""
    async with serving(CLOSES) as server:
        Resolver(monkeypatch, [METADATA])
        sender = sender_to(server)
        assert_refused(await sender.attempt(job(), touchpoint="orders"))
        await sender.aclose()


async def test_the_address_that_was_checked_is_the_one_that_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name is asked for once; what it would say the second time is looked at anew, and never called."""
    async with serving(CLOSES) as server:
        resolver = Resolver(monkeypatch, ["127.0.0.1"], [METADATA])
        sender = sender_to(server)
        assert isinstance(await sender.attempt(job(), touchpoint="orders"), Delivered)
        assert (resolver.asked, server.connections) == (1, 1)
        await sender.aclose()  # and with it what it remembers of names
        assert_refused(await sender.attempt(job(), touchpoint="orders"))
        assert (resolver.asked, server.connections) == (2, 1)
        await sender.aclose()


async def test_of_several_addresses_only_the_harmless_are_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused one among them is passed over."""
    async with serving(CLOSES) as server:
        Resolver(monkeypatch, [METADATA, "127.0.0.1"])
        sender = sender_to(server)
        assert isinstance(await sender.attempt(job(), touchpoint="orders"), Delivered)
        await sender.aclose()
