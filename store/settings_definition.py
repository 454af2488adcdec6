"""Every setting beside touchpoints, and how a whole document becomes a Configuration, all problems at once."""

from collections.abc import Mapping
from typing import Any

from store.alerts_definition import ALERTS, check_alerts
from store.backup_definition import BACKUP, check_backup
from store.settings import (
    MIB,
    AgentBackupSettings,
    AgentSettings,
    AlertSettings,
    Configuration,
    Limits,
    PageSettings,
    ProxySettings,
    RetentionSettings,
    shares,
)
from touchpoints.definition import TOUCHPOINT_SETTINGS, Ids, read_touchpoints
from touchpoints.definition_kind import (
    ADDRESS,
    BASE_URL,
    HOSTS,
    NETWORKS,
    PATH,
    TEXT,
    choice,
    integer,
    is_loopback,
    size,
    span,
    split_url,
)
from touchpoints.definition_setting import Reading, Setting, listed, read_table, unknown_key
from touchpoints.name import name_problem

_LARGEST = 2**60
_DAYS = integer(1, 36500)

AGENT = (
    Setting("mode", choice("direct", "proxy", "both"), None, "How events arrive; until it is chosen no public port is bound."),
    Setting("host_public_url", BASE_URL, "", "Where senders reach this machine, such as https://hooks.example.com:8420."),
    Setting("listen", ADDRESS, "0.0.0.0", "The address of the public listener."),  # noqa: S104 - the documented default
    Setting("port", integer(1, 65535), 8420, "The port of the public listener."),
    Setting("tls_certificate", PATH, "", "A PEM file with the certificate and its chain; reloaded when it changes."),
    Setting("tls_key", PATH, "", "The PEM file of the certificate's key."),
    Setting(
        "tls_client_ca",
        PATH,
        "",
        "A PEM file with the authorities, or the certificates themselves, of senders that prove themselves by TLS.",
    ),
    Setting("trusted_proxies", NETWORKS, [], "Addresses or networks whose X-Forwarded-For counts."),
    Setting("switch_overlap", span("0s", "365d"), "24h", "After a switch the old path stays until it was quiet for so long."),
)
PROXY = (
    Setting("url", BASE_URL, "", "The hosted proxy, for a check against the pairing; http:// only on this machine."),
    Setting("domain", TEXT, "", "The organisation's name at the proxy, for the same check."),
)
LIMITS = (
    Setting("body", size(1024, 1024 * MIB), "25MiB", "The largest body that is accepted."),
    Setting("buffers", size(MIB, 64 * 1024 * MIB), "64MiB", "Memory for bodies on their way in, over all."),
    Setting("per_second", integer(0, 1_000_000), 0, "Requests a second to one touchpoint; 0: no limit."),
)
RETENTION = (
    Setting("bodies_days", _DAYS, 30, "Days a body is kept after its event is settled."),
    Setting("log_days", _DAYS, 400, "Days the delivery log is kept."),
    Setting("refused_days", _DAYS, 30, "Days a refused event is kept."),
    Setting("refused_size", size(0, _LARGEST), "1GiB", "Room for the refused events of each touchpoint."),
    Setting("size", size(0, _LARGEST), 0, "Room for all events; 0: no limit."),
    Setting("free_disk", size(0, _LARGEST), "200MiB", "Below so much free disk no event is accepted."),
)
PAGE = (
    Setting("hosts", HOSTS, [], "Host names under which the page may be opened, beside loopback's."),
    Setting("tls_certificate", PATH, "", "A PEM file with the page's certificate, for use beyond loopback."),
    Setting("tls_key", PATH, "", "The PEM file of the certificate's key."),
)

SECTIONS: dict[str, tuple[Setting, ...]] = {
    "agent": AGENT,
    "proxy": PROXY,
    "limits": LIMITS,
    "retention": RETENTION,
    "page": PAGE,
    "alerts": ALERTS,
    "backup": BACKUP,
}

# (path, type, default, meaning) of every key of the agent's file.
ALL_SETTINGS: tuple[tuple[str, str, Any, str], ...] = (
    *(row for section, settings in SECTIONS.items() for row in listed(settings, section)),
    *TOUCHPOINT_SETTINGS,
)

_PROXY_ROLE = ("server", "organisation")


def read_configuration(document: Mapping[str, Any], ids: Ids, reading: Reading) -> Configuration:
    """The configuration of a document; what is wrong is noted in `reading`, each with its path."""
    for key in document:
        if key in _PROXY_ROLE:
            reading.wrong("proxy_role", key, key=key)
        elif key not in SECTIONS and key != "touchpoint":
            reading.note(unknown_key(key, [*SECTIONS, "touchpoint"], key[:60]))
    values = {
        section: read_table(document.get(section, {}), settings, section, reading) for section, settings in SECTIONS.items()
    }
    configuration = Configuration(
        agent=AgentSettings(**values["agent"]),
        proxy=ProxySettings(**values["proxy"]),
        limits=Limits(**values["limits"]),
        retention=RetentionSettings(**values["retention"]),
        page=PageSettings(**values["page"]),
        alerts=AlertSettings(**values["alerts"]),
        backup=AgentBackupSettings(**values["backup"]),
        touchpoints=read_touchpoints(document.get("touchpoint", []), ids, reading),
    )
    check_contradictions(document, configuration, reading)
    return configuration


def check_contradictions(document: Mapping[str, Any], configuration: Configuration, reading: Reading) -> None:
    """Settings that are right alone and wrong together."""
    check_pair(document, "agent", reading)
    check_pair(document, "page", reading)
    check_client_ca(document, configuration, reading)
    url = configuration.proxy.url
    if url.startswith("http://") and not is_loopback(split_url(url, "http").hostname or ""):
        reading.wrong("proxy_url_in_clear", "proxy.url")
    if configuration.proxy.domain and (found := name_problem(configuration.proxy.domain, path="proxy.domain", domain=True)):
        reading.note(found)
    if configuration.limits.body > shares(configuration.limits.buffers)[0]:
        reading.wrong("body_over_buffers", "limits.body")
    check_alerts(document, configuration.alerts, reading)
    check_backup(configuration.backup, reading)


def check_pair(document: Mapping[str, Any], section: str, reading: Reading) -> None:
    """A certificate without its key, or a key without its certificate."""
    certificate, key = (mentioned(document, section, name) for name in ("tls_certificate", "tls_key"))
    if certificate and not key:
        reading.wrong("tls_key_missing", f"{section}.tls_key")
    if key and not certificate:
        reading.wrong("tls_certificate_missing", f"{section}.tls_certificate")


def check_client_ca(document: Mapping[str, Any], configuration: Configuration, reading: Reading) -> None:
    """Clients can be asked for a certificate over TLS alone, and none is ever shown unasked."""
    asked = mentioned(document, "agent", "tls_client_ca")
    if asked and not mentioned(document, "agent", "tls_certificate"):
        reading.wrong("client_ca_alone", "agent.tls_client_ca")
    if not asked and any(touchpoint.client_certificates for touchpoint in configuration.touchpoints):
        reading.wrong("client_ca_missing", "agent.tls_client_ca")


def mentioned(document: Mapping[str, Any], section: str, key: str) -> bool:
    """Whether a document gives a key something, be it right or wrong."""
    table = document.get(section)
    return isinstance(table, dict) and bool(table.get(key))
