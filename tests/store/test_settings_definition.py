"""A whole document's reading: every mistake at once, and the table of all settings."""

import sys
from dataclasses import fields
from typing import Any

import pytest

from store.document import parse
from store.settings import Configuration
from store.settings_definition import ALL_SETTINGS, SECTIONS, read_configuration
from touchpoints.definition_setting import Reading

EVERY_MISTAKE = """
colour = "red"
[agent]
mode = "dirct"
host_public_url = "https://h.example/path?x=1"
listen = "everywhere"
port = 70000
prot = 1
tls_certificate = "/etc/full.pem"
trusted_proxies = ["127.0.0.1", "10.0.0.0/99", 7]
switch_overlap = 1979-05-27
[proxy]
url = "http://proxy.example.net"
domain = "hooks"
[limits]
body = "65MiB"
per_second = -1
buffers = "much"
[retention]
bodies_days = inf
log_days = nan
size = true
[page]
hosts = ["https://x"]
tls_key = "/etc/key.pem"
[server]
port = 1
[[organisation]]
name = "acme"
[[touchpoint]]
name = "a"
provider = "generic"
[[touchpoint]]
name = "a"
provider = "shopfy"
secrets = [["x"], {}]
state = "of"
[touchpoint.retry]
schedule = "1s"
[[touchpoint]]
provider = "github"
[[touchpoint.destination]]
kind = "folder"
path = "relative/in"
[[touchpoint.destination]]
url = "gopher://x"
"""

EVERY_PROBLEM = [
    ("colour", "unknown_key"),
    ("server", "proxy_role"),
    ("organisation", "proxy_role"),
    ("agent.mode", "not_one_of"),
    ("agent.host_public_url", "url_has_path"),
    ("agent.listen", "not_an_address"),
    ("agent.port", "out_of_range"),
    ("agent.prot", "unknown_key_similar"),
    ("agent.trusted_proxies[1]", "not_an_address"),
    ("agent.trusted_proxies[2]", "wrong_type"),
    ("agent.switch_overlap", "wrong_type"),
    ("limits.per_second", "out_of_range"),
    ("limits.buffers", "not_a_size"),
    ("retention.bodies_days", "wrong_type"),
    ("retention.log_days", "wrong_type"),
    ("retention.size", "wrong_type"),
    ("page.hosts[0]", "not_a_host"),
    ("touchpoint.a.verify", "verify_needed"),
    ("touchpoint.a.secrets[0]", "wrong_type"),
    ("touchpoint.a.secrets[1]", "wrong_type"),
    ("touchpoint.a.state", "not_one_of"),
    ("touchpoint.a.retry.schedule", "wrong_type"),
    ("touchpoint.a.provider", "provider_unknown"),
    ("touchpoint[2]", "missing_key"),
    ("touchpoint[2].destination.folder.path", "path_not_absolute"),
    ("touchpoint[2].destination[1]", "missing_key"),
    ("touchpoint.a", "name_taken"),
    ("agent.tls_key", "tls_key_missing"),
    ("page.tls_certificate", "tls_certificate_missing"),
    ("proxy.url", "proxy_url_in_clear"),
    ("proxy.domain", "name_reserved"),
    ("limits.body", "body_over_buffers"),
]


ROOT = "C:/" if sys.platform == "win32" else "/"
PAIR = {"tls_certificate": f"{ROOT}chain.pem", "tls_key": f"{ROOT}key.pem"}
CA = f"{ROOT}senders.pem"


def read(document: dict[str, Any]) -> tuple[Configuration, list[tuple[str, str]]]:
    reading = Reading()
    return read_configuration(document, {}, reading), [(problem.path, problem.code) for problem in reading.problems]


def test_every_mistake_is_told_at_once() -> None:
    """One reading finds all that is wrong in a file, each with its path, and every problem has its words."""
    reading = Reading()
    drive = "C:" if sys.platform == "win32" else ""
    document = parse(EVERY_MISTAKE.replace("/etc/", f"{drive}/etc/").encode())
    read_configuration(document, {}, reading)
    assert [(problem.path, problem.code) for problem in reading.problems] == EVERY_PROBLEM
    assert all(problem.text and problem.mend for problem in reading.problems)
    similar = {problem.path: problem.mend for problem in reading.problems}
    assert similar["agent.prot"] == 'Did you mean "port"?'
    assert similar["touchpoint.a.provider"].startswith("Choose one of shopify")


@pytest.mark.parametrize("mode", ["proxy", "both"])
def test_proxy_mode_needs_no_url_in_the_file(mode: str) -> None:
    """The pairing knows the proxy; what is not paired yet is told as something that needs a person."""
    assert read({"agent": {"mode": mode}})[1] == []


@pytest.mark.parametrize("url", ["http://localhost:8430", "http://127.0.0.1:8430", "http://[::1]:8430", "https://p.example"])
def test_http_to_a_proxy_is_for_loopback(url: str) -> None:
    """On this machine a proxy may be reached in clear."""
    assert read({"proxy": {"url": url}})[1] == []


def test_the_public_url_has_no_closing_slash() -> None:
    """A slash at the end would stand twice in every endpoint URL."""
    configuration, problems = read({"agent": {"host_public_url": "https://h.example:8420/"}})
    assert (configuration.agent.host_public_url, problems) == ("https://h.example:8420", [])


def test_an_empty_document_is_all_defaults() -> None:
    """The table's defaults and the dataclasses' are the same."""
    assert read({}) == (Configuration(), [])


def test_every_setting_is_in_the_table() -> None:
    """Each field of the settings is a row, with a type and a meaning, and no path is there twice."""
    configuration = Configuration()
    for section, settings in SECTIONS.items():
        assert [setting.name for setting in settings] == [field.name for field in fields(getattr(configuration, section))]
    paths = [path for path, _, _, _ in ALL_SETTINGS]
    assert len(paths) == len(set(paths))
    assert {"agent.mode", "retention.free_disk", "touchpoint.verify.scheme", "touchpoint.destination (http).auth.type"} <= set(
        paths
    )
    assert all(kind and meaning.endswith(".") for _, kind, _, meaning in ALL_SETTINGS)


@pytest.mark.parametrize(
    ("agent", "pinned", "problems"),
    [
        ({"tls_client_ca": CA}, False, [("agent.tls_client_ca", "client_ca_alone")]),
        ({**PAIR, "tls_client_ca": CA}, True, []),
        ({**PAIR, "tls_client_ca": CA}, False, []),
        (PAIR, True, [("agent.tls_client_ca", "client_ca_missing")]),
        ({}, True, [("agent.tls_client_ca", "client_ca_missing")]),
        ({}, False, []),
    ],
)
def test_senders_certificates_are_asked_for_over_tls(
    agent: dict[str, str], pinned: bool, problems: list[tuple[str, str]]
) -> None:
    """No one shows a certificate unasked, or without TLS: a touchpoint that waits for one would refuse everything."""
    touchpoint: dict[str, Any] = {"name": "a", "provider": "github"}
    if pinned:
        touchpoint["client_certificates"] = ["AB:" * 31 + "AB"]
    configuration, found = read({"agent": agent, "touchpoint": [touchpoint]})
    assert found == problems
    assert configuration.touchpoints[0].client_certificates == (("ab" * 32,) if pinned else ())
