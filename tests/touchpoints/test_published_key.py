"""Which addresses of keys are ever asked for."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchpoints.published_key import host_of, pinned

HOSTS = ("sns.*.amazonaws.com", "api.paypal.com")
GOOD = [
    "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-f3ecfb7224c7233fe7bb5f59f96de52f.pem",
    "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-a5cafa77",
    "https://api.paypal.com",
    "https://api.paypal.com/",
    "https://api.paypal.com/a?p=B2C_1_x&q=1",
]
TRICKS = [
    "http://api.paypal.com/x",
    "https://api.paypal.com.evil.example/x",
    "https://sns.us-east-1.amazonaws.com.evil/x.pem",
    "https://sns.a.b.amazonaws.com/x.pem",
    "https://sns.amazonaws.com/x.pem",
    "https://snsXus.amazonaws.com/x.pem",
    "https://evil.example/sns.us-east-1.amazonaws.com/x.pem",
    "https://api.paypal.com@evil.example/x",
    "https://user@api.paypal.com/x",
    "https://user:word@api.paypal.com/x",
    "https://api.paypal.com:443/x",
    "https://api.paypal.com:8443/x",
    "https://api.paypal.com./x",
    "https://api.paypal.com\\@evil.example/x",
    "https:\\\\api.paypal.com/x",
    "https:/api.paypal.com/x",
    "https:///api.paypal.com/x",
    "https://api.paypal.com//evil.example/x",
    "//api.paypal.com/x",
    "https://api.paypal.com/../x",
    "https://api.paypal.com/./x",
    "https://api.paypal.com/a/%2e%2e/x",
    "https://api.paypal.com/x#y",
    "https://api.paypal.com/x y",
    "https://api.paypal.com/x\n",
    "https://api.paypal.com/x\r\nHost: evil.example",
    "https://API.PAYPAL.COM/x",
    "HTTPS://api.paypal.com/x",
    "https://api.paypa\u04cf.com/x",
    "https://api\u3002paypal\u3002com/x",
    "https://127.0.0.1/x",
    "https://[::1]/x",
    "https://2130706433/x",
    "https://0x7f.1/x",
    "https://localhost/x",
    "https://-api.paypal.com/x",
    "https://api..paypal.com/x",
    "https://" + "a" * 64 + ".paypal.com/x",
    "https://api.paypal.com/" + "x" * 500,
    "",
    " https://api.paypal.com/x",
]


@pytest.mark.parametrize("url", GOOD)
def test_a_plain_address_of_a_pinned_host_may_be_fetched(url: str) -> None:
    """`*` stands for one label."""
    assert pinned(url, HOSTS)
    assert host_of(url) == urlsplit(url).hostname


@pytest.mark.parametrize("url", TRICKS)
def test_no_trick_leads_elsewhere(url: str) -> None:
    """User, port, escape, backslash, dots, letters that look alike, numbers for names, and the rest of them."""
    assert not pinned(url, HOSTS)


@given(st.one_of(st.text(), st.from_regex(r"https?:[/\\]{0,3}[\w.@:\[\]-]{0,40}(/\S{0,20})?")))
def test_whatever_is_taken_is_read_alike_by_others(url: str) -> None:
    """The host that is pinned is the host that a client will connect to."""
    host = host_of(url)
    if host is not None:
        parts = urlsplit(url)
        assert (parts.scheme, parts.netloc, parts.hostname) == ("https", host, host)


def test_without_a_pin_nothing_is_fetched() -> None:
    """An empty list pins nothing."""
    assert not pinned(GOOD[0], ())
    assert not pinned(GOOD[0], ("",))
