import pytest

from touchpoints.destinations.outbound_proxy import proxy_for

PROXIES = {"http_proxy": "http://plain:1", "HTTPS_PROXY": "secure:2"}


@pytest.mark.parametrize(
    ("setting", "url", "environment", "proxy"),
    [
        ("", "http://h/", PROXIES, "http://plain:1"),
        ("", "https://h/", PROXIES, "http://secure:2"),
        ("", "http://127.0.0.1/", PROXIES, "http://plain:1"),
        ("", "http://h/", {}, None),
        ("", "http://h/", {"http_proxy": " "}, None),
        ("", "http://h/", {"http_proxy": "low", "HTTP_PROXY": "UP"}, "http://low"),
        ("none", "http://h/", PROXIES, None),
        ("http://own:3", "https://h/", PROXIES, "http://own:3"),
        ("http://own:3", "https://h/", {"NO_PROXY": "*"}, "http://own:3"),
    ],
)
def test_which_proxy(setting: str, url: str, environment: dict[str, str], proxy: str | None) -> None:
    """The destination's own proxy, or none, or the environment's for the URL's scheme, lower case first."""
    assert proxy_for(setting, url, environment) == proxy


@pytest.mark.parametrize(
    ("no_proxy", "host", "excepted"),
    [
        ("*", "h", True),
        ("", "h", False),
        (" , ", "h", False),
        ("example.com", "example.com", True),
        ("example.com", "erp.EXAMPLE.com", True),
        (".example.com", "erp.example.com", True),
        ("*.example.com", "erp.example.com", True),
        ("EXAMPLE.com.", "erp.example.com.", True),
        ("example.com", "badexample.com", False),
        ("example.com", "example.com.evil", False),
        ("other, erp", "erp", True),
        ("other erp", "erp", True),
        ("erp:8080", "erp:8080", True),
        ("erp:8080", "erp:80", False),
        ("erp:80", "erp", True),
        ("localhost", "127.0.0.1", False),
        ("127.0.0.1", "127.0.0.1:9000", True),
        ("127.0.0.1:9000", "127.0.0.1:9000", True),
        ("127.0.0.1:9001", "127.0.0.1:9000", False),
        ("0.0.1", "127.0.0.1", False),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.1.2.9/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.0.0.0/8", "erp10", False),
        ("10.0.0.0/99", "10.1.2.3", False),
        ("::1", "[::1]", True),
        ("[::1]", "[::1]:80", True),
        ("[::1]:80", "[::1]", True),
        ("[::1]:81", "[::1]", False),
        ("fd00::/8", "[fd00::5]", True),
        ("fd00::/8", "10.0.0.1", False),
        ("0:0:0:0:0:0:0:1", "[::1]", True),
    ],
)
def test_no_proxy(no_proxy: str, host: str, excepted: bool) -> None:
    """NO_PROXY knows names with their subdomains, addresses, networks and ports."""
    assert (proxy_for("", f"http://{host}/in", PROXIES | {"NO_PROXY": no_proxy}) is None) is excepted


@pytest.mark.parametrize("proxy", ["http://", "socks5://h:1", "ftp://h", "://", "http://[::1", "http://me:secret@h:99999"])
def test_what_is_no_proxy_is_an_error(proxy: str) -> None:
    """A proxy that cannot be one is never passed over, and the error does not show its password."""
    with pytest.raises(ValueError, match=r"^its proxy is not an http or https URL$"):
        proxy_for("", "http://h/", {"http_proxy": proxy})
