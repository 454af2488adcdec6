import pytest

from web.listener.proxies import TrustedProxies, _address_of

CASES = [
    ((), "10.0.0.1", ["1.1.1.1"], "10.0.0.1"),
    (("10.0.0.0/8",), "10.0.0.1", [], "10.0.0.1"),
    (("10.0.0.0/8",), "10.0.0.1", ["1.1.1.1"], "1.1.1.1"),
    (("10.0.0.0/8",), "11.0.0.1", ["1.1.1.1"], "11.0.0.1"),
    (("10.0.0.0/8",), "10.0.0.1", ["9.9.9.9, 1.1.1.1", "10.0.0.2"], "1.1.1.1"),
    (("10.0.0.0/8",), "10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
    (("10.0.0.0/8",), "10.0.0.1", ["1.1.1.1, nonsense, 10.0.0.2"], "10.0.0.2"),
    (("10.0.0.0/8",), "10.0.0.1", ["1.1.1.1:4711"], "1.1.1.1"),
    (("::1",), "::1", ["[2001:db8::1]:443"], "2001:db8::1"),
    (("127.0.0.1",), "::ffff:127.0.0.1", ["1.1.1.1"], "1.1.1.1"),
    (("::1",), "::1", ["2001:db8::1"], "2001:db8::1"),
]


@pytest.mark.parametrize(("networks", "peer", "said", "sender"), CASES)
def test_sender(networks: tuple[str, ...], peer: str, said: list[str], sender: str) -> None:
    """The sender is the right-most address that is no trusted proxy, and only a trusted peer is believed."""
    headers = tuple((b"x-forwarded-for", value.encode()) for value in said)
    assert TrustedProxies(networks).sender(peer, headers) == sender


def test_wrong_network() -> None:
    """What is no network is refused."""
    with pytest.raises(ValueError, match="nonsense"):
        TrustedProxies(["nonsense"])


def test_a_long_entry_is_not_remembered() -> None:
    """What a proxy lets through can be as long as a head; remembered by the thousand, it would fill the memory."""
    before = _address_of.cache_info().currsize
    assert TrustedProxies(["10.0.0.0/8"]).sender("10.0.0.1", ((b"x-forwarded-for", b"1" * 60_000),)) == "10.0.0.1"
    assert _address_of.cache_info().currsize <= before + 1  # the peer's own
