"""Every setting of a hosted proxy, and how a whole document becomes a ServerConfiguration, all problems at once."""

from collections.abc import Mapping, Sequence
from typing import Any

from store.backup_definition import SERVER_BACKUP, check_backup
from store.server_settings import OrganisationSettings, ServerBackupSettings, ServerConfiguration, ServerLimits, ServerSettings
from store.settings import MIB, PageSettings, shares
from store.settings_definition import PAGE, check_pair, mentioned
from touchpoints.definition import table_path
from touchpoints.definition_kind import ADDRESS, BASE_URL, FLAG, NETWORKS, PATH, TEXT, integer, is_loopback, size, span
from touchpoints.definition_setting import Reading, Setting, join, listed, read_table, unknown_key
from touchpoints.name import confusable_form, name_problem

_LARGEST = 2**60
_MOST_ORGANISATIONS = 100_000
_EVENTS = integer(1, 10**12)
_BYTES = size(MIB, _LARGEST)
_RATE = integer(0, 1_000_000)

SERVER = (
    Setting("public_url", BASE_URL, "", "Where senders and agents reach the proxy, such as https://proxy.example.net."),
    Setting("listen", ADDRESS, "0.0.0.0", "The address of the public listener."),  # noqa: S104 - the documented default
    Setting("port", integer(1, 65535), 8430, "The port of the public listener."),
    Setting("tls_certificate", PATH, "", "A PEM file with the certificate and its chain; reloaded when it changes."),
    Setting("tls_key", PATH, "", "The PEM file of the certificate's key."),
    Setting("trusted_proxies", NETWORKS, [], "Addresses or networks whose X-Forwarded-For counts."),
    Setting("wildcard", FLAG, False, "Whether DNS and certificate also cover *.HOST, for https://<domain>.HOST/."),
    Setting("max_age_days", integer(1, 365), 14, "Days an event waits for its organisation's agents."),
    Setting("acknowledged_days", integer(1, 365), 3, "Days an event is kept after an agent took it, for seeking back."),
    Setting("quota_events", _EVENTS, 1_000_000, "How many events may wait for one organisation."),
    Setting("quota_bytes", _BYTES, "1GiB", "Room for the events that wait for one organisation."),
    Setting("body", size(1024, 1024 * MIB), "25MiB", "The largest body that is accepted."),
    Setting("token_overlap", span("0s", "365d"), "24h", "How long a replaced or withdrawn endpoint URL still answers."),
    Setting("per_second", _RATE, 0, "Requests a second to one endpoint; 0: no limit."),
    Setting("address_per_second", _RATE, 0, "Requests a second from one address; 0: no limit."),
)
LIMITS = (Setting("buffers", size(MIB, 64 * 1024 * MIB), "64MiB", "Memory for bodies on their way in, over all."),)
ORGANISATION = (
    Setting("name", TEXT, None, "Its proxy domain, unique at this proxy."),
    Setting("quota_events", _EVENTS, None, "How many events may wait for it; left out, the server's."),
    Setting("quota_bytes", _BYTES, None, "Room for the events that wait for it; left out, the server's."),
)

SERVER_SECTIONS: dict[str, tuple[Setting, ...]] = {
    "server": SERVER,
    "limits": LIMITS,
    "page": PAGE,
    "backup": SERVER_BACKUP,
}

# (path, type, default, meaning) of every key of the proxy's file.
ALL_SERVER_SETTINGS: tuple[tuple[str, str, Any, str], ...] = (
    *(row for section, settings in SERVER_SECTIONS.items() for row in listed(settings, section)),
    *listed(ORGANISATION, "organisation"),
)

_AGENT_ROLE = ("agent", "proxy", "retention", "touchpoint", "alerts")


def read_server_configuration(document: Mapping[str, Any], reading: Reading) -> ServerConfiguration:
    """The configuration of a document; what is wrong is noted in `reading`, each with its path."""
    for key in document:
        if key in _AGENT_ROLE:
            reading.wrong("agent_role", key, key=key)
        elif key not in SERVER_SECTIONS and key != "organisation":
            reading.note(unknown_key(key, [*SERVER_SECTIONS, "organisation"], key[:60]))
    values = {
        section: read_table(document.get(section, {}), settings, section, reading)
        for section, settings in SERVER_SECTIONS.items()
    }
    configuration = ServerConfiguration(
        server=ServerSettings(**values["server"]),
        limits=ServerLimits(**values["limits"]),
        page=PageSettings(**values["page"]),
        backup=ServerBackupSettings(**values["backup"]),
        organisations=read_organisations(document.get("organisation", []), reading),
    )
    check_server(document, configuration, reading)
    return configuration


def read_organisations(items: object, reading: Reading) -> tuple[OrganisationSettings, ...]:
    """The organisations of a document's `organisation` list."""
    if not isinstance(items, list):
        reading.wrong("wrong_type", "organisation", expected="a list of tables, [[organisation]]", found="something else")
        return ()
    if len(items) > _MOST_ORGANISATIONS:
        reading.wrong("list_too_long", "organisation", most=_MOST_ORGANISATIONS)
        return ()
    found = []
    for index, item in enumerate(items):
        path = table_path("organisation", item, index)
        values = read_table(item, ORGANISATION, path, reading)
        if not isinstance(item, dict):
            continue
        if "name" not in item:
            reading.wrong("missing_key", join(path, "name"), key="name")
        elif values["name"] is not None and (trouble := name_problem(values["name"], path=join(path, "name"), domain=True)):
            reading.note(trouble)
        found.append(OrganisationSettings(**{**values, "name": values["name"] or ""}))
    check_domains(found, reading)
    return tuple(found)


def check_domains(organisations: Sequence[OrganisationSettings], reading: Reading) -> None:
    """No two domains are the same, nor look it."""
    taken: dict[str, str] = {}
    for organisation in organisations:
        name, form = organisation.name, confusable_form(organisation.name)
        path = join(join("organisation", name), "name")
        if name and taken.get(form) == name:
            reading.wrong("domain_taken", path, name=name[:64])
        elif name and form in taken:
            reading.wrong("domain_confusable", path, name=name[:64], other=taken[form][:64])
        taken.setdefault(form, name)


def check_server(document: Mapping[str, Any], configuration: ServerConfiguration, reading: Reading) -> None:
    """Settings that are right alone and wrong together."""
    check_pair(document, "server", reading)
    check_pair(document, "page", reading)
    server = configuration.server
    encrypted = mentioned(document, "server", "tls_certificate") or mentioned(document, "server", "tls_key")
    if server.public_url and not (encrypted or is_loopback(server.listen) or mentioned(document, "server", "trusted_proxies")):
        reading.wrong("public_in_clear", "server.listen")
    if server.body > shares(configuration.limits.buffers)[0]:
        reading.wrong("body_over_buffers", "server.body")
    check_backup(configuration.backup, reading)
