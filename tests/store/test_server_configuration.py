"""The proxy's configuration: every mistake at once, applied in one transaction, and shown as it can be applied again."""

import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from store.configuration import Actor
from store.document import parse
from store.server_configuration import ServerApplied
from store.server_definition import ALL_SERVER_SETTINGS, SERVER_SECTIONS, read_server_configuration
from store.server_settings import OrganisationSettings, ServerConfiguration, ServerSettings
from store.settings import MIB
from tests.store.organisations_kit import ProxyKit, proxy_kit
from touchpoints.definition_setting import Reading
from touchpoints.moment import HOUR
from touchpoints.problem import ProblemError

pytestmark = pytest.mark.anyio
NOW = 1_800_000_000_000_000
MACHINE = Actor(name="machine", machine=True)

EVERY_MISTAKE = """
colour = "red"
[agent]
mode = "direct"
[retention]
log_days = 1
[[touchpoint]]
name = "orders"
[server]
public_url = "https://p.example/path"
listen = "everywhere"
port = 0
tls_certificate = "/etc/full.pem"
trusted_proxies = ["10.0.0.0/99"]
wildcard = "yes"
max_age_days = 0
acknowledged_days = 0.5
quota_events = -1
quota_bytes = "much"
body = "100MiB"
token_overlap = 5
per_second = true
adress_per_second = 1
[limits]
buffers = "1kB"
[page]
hosts = "x"
[[organisation]]
name = "acme"
quota_bytes = "1B"
[[organisation]]
name = "acme"
[[organisation]]
name = "acrne"
[[organisation]]
quota_events = 1
[[organisation]]
name = "hooks"
"""

WHOLE = """
[server]
public_url = "https://proxy.example.net"
tls_certificate = "full.pem"
tls_key = "key.pem"
wildcard = true
quota_bytes = "2GiB"
token_overlap = "36h"
[limits]
buffers = "128MiB"
[page]
hosts = ["ops.example.net"]
[[organisation]]
name = "acme"
quota_events = 500
quota_bytes = "1024MiB"
[[organisation]]
name = "zeta"
"""


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[ProxyKit]:
    async with proxy_kit(tmp_path) as made:
        yield made


async def apply(kit: ProxyKit, text: str, **options: Any) -> ServerApplied:
    """Apply TOML text."""
    given: dict[str, Any] = {"prune": False, "dry_run": False, "actor": MACHINE, "environment": {}, "waiting": {}, "now": NOW}
    base = str(kit.path.parent)
    return await kit.configuration.apply(parse(text.encode()), base=base, **(given | options))


def read(text: str) -> tuple[ServerConfiguration, list[str]]:
    """A document's configuration, and its problems as `path code`."""
    reading = Reading()
    found = read_server_configuration(parse(text.encode()), reading)
    return found, [f"{one.path} {one.code}" for one in reading.problems]


@pytest.mark.skipif(sys.platform == "win32", reason="its paths are absolute in another way")
def test_every_mistake_is_told_at_once() -> None:
    """Each with its path."""
    assert read(EVERY_MISTAKE)[1] == [
        "colour unknown_key",
        "agent agent_role",
        "retention agent_role",
        "touchpoint agent_role",
        "server.public_url url_has_path",
        "server.listen not_an_address",
        "server.port out_of_range",
        "server.trusted_proxies[0] not_an_address",
        "server.wildcard wrong_type",
        "server.max_age_days out_of_range",
        "server.acknowledged_days wrong_type",
        "server.quota_events out_of_range",
        "server.quota_bytes not_a_size",
        "server.token_overlap wrong_type",
        "server.per_second wrong_type",
        "server.adress_per_second unknown_key_similar",
        "limits.buffers out_of_range",
        "page.hosts wrong_type",
        "organisation.acme.quota_bytes out_of_range",
        "organisation[3].name missing_key",
        "organisation.hooks.name name_reserved",
        "organisation.acme.name domain_taken",
        "organisation.acrne.name domain_confusable",
        "server.tls_key tls_key_missing",
        "server.body body_over_buffers",
    ]


@pytest.mark.parametrize("text", ["server = 1", "organisation = 1", "organisation = [1]", "[organisation]", "[[server]]"])
def test_wrong_shapes_are_told(text: str) -> None:
    """And nothing else falls over them."""
    assert [one.split()[1] for one in read(text)[1]] == ["wrong_type"]


@pytest.mark.parametrize(
    ("settings", "refused"),
    [
        ('public_url = "https://p.example"', True),
        ('public_url = "https://p.example"\ntrusted_proxies = ["10.0.0.1"]', False),
        ('public_url = "https://p.example"\nlisten = "127.0.0.1"', False),
        ('public_url = "https://p.example"\nlisten = "::1"', False),
        ('public_url = "https://p.example"\nlisten = "192.0.2.1"', True),
        ('public_url = "https://p.example"\ntls_certificate = "/c"\ntls_key = "/k"', False),
        ('public_url = "http://127.0.0.1:8430"\nlisten = "127.0.0.1"', False),
        ('listen = "0.0.0.0"', False),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="its paths are absolute in another way")
def test_nobody_listens_in_clear_beyond_loopback(settings: str, refused: bool) -> None:
    """Unless a reverse proxy is named, or nothing listens yet."""
    assert read(f"[server]\n{settings}")[1] == (["server.listen public_in_clear"] if refused else [])


def test_defaults_are_the_documented_ones() -> None:
    """The table of settings and the typed values agree, key for key."""
    assert read("")[0] == ServerConfiguration()
    named = {path.split(".", 1)[1] for path, *_ in ALL_SERVER_SETTINGS if path.startswith("server.")}
    assert named == {field.name for field in fields(ServerSettings)}
    assert {path.split(".")[0] for path, *_ in ALL_SERVER_SETTINGS} == {*SERVER_SECTIONS, "organisation"}


def test_a_wildcard_host_is_the_public_one() -> None:
    """In lower case and without a port; none where it is off."""
    settings = ServerSettings(public_url="https://Proxy.Example.net:8430", wildcard=True)
    assert settings.wildcard_host == b"proxy.example.net"
    assert ServerSettings(public_url="https://proxy.example.net").wildcard_host == b""


async def test_what_is_applied_is_loaded_and_shown(kit: ProxyKit) -> None:
    """Shown and applied again it changes nothing, also with --prune and in other words for the same size."""
    applied = await apply(kit, WHOLE, digest="abc")
    assert [str(problem) for problem in applied.problems] == []
    loaded = await kit.configuration.load({})
    assert loaded == applied.configuration
    assert loaded.server.tls_key == str(kit.path.parent / "key.pem")
    assert (loaded.server.quota_bytes, loaded.server.token_overlap, loaded.limits.buffers) == (2048 * MIB, 36 * HOUR, 128 * MIB)
    assert loaded.organisations == (
        OrganisationSettings(name="acme", quota_events=500, quota_bytes=1024 * MIB),
        OrganisationSettings(name="zeta"),
    )
    assert [one.quota_bytes for one in await kit.organisations.all()] == [1024 * MIB, None]
    shown = await kit.configuration.show()
    for text in (shown, WHOLE):
        for prune in (False, True):
            again = await apply(kit, text, prune=prune)
            assert (again.problems, again.changes) == ((), ())
    assert await kit.configuration.show() == shown
    assert 'quota_bytes = "1GiB"' in shown
    assert await kit.configuration.last_applied() == "abc"


async def test_a_file_merges_key_by_key(kit: ProxyKit) -> None:
    """What it leaves out stays; an organisation's quota too."""
    await apply(kit, WHOLE)
    changed = await apply(kit, '[server]\nport = 9000\n[[organisation]]\nname = "acme"\nquota_events = 7')
    assert [f"{one.path} {one.what}" for one in changed.changes] == [
        "server.port added",
        "organisation.acme.quota_events changed",
    ]
    assert changed.configuration is not None
    assert changed.configuration.server.wildcard
    assert (await kit.organisations.named("acme")).quota_bytes == 1024 * MIB


async def test_prune_removes_what_nothing_waits_for(kit: ProxyKit) -> None:
    """One with events is kept, and said; a removed name rests; ids are told so that its events can be erased."""
    await apply(kit, WHOLE)
    acme, zeta = await kit.organisations.all()
    kept = await apply(kit, '[[organisation]]\nname = "acme"', prune=True, waiting={zeta.id: 4})
    assert [(one.code, one.path) for one in kept.problems] == [("organisation_has_events", "organisation.zeta")]
    assert len(await kit.organisations.all()) == 2
    gone = await apply(kit, '[[organisation]]\nname = "acme"', prune=True, waiting={acme.id: 4})
    assert (gone.problems, gone.removed) == ((), (zeta.id,))
    assert [one.quota_events for one in await kit.organisations.all()] == [None]
    back = await apply(kit, '[[organisation]]\nname = "zeta"')
    assert [one.code for one in back.problems] == ["domain_rests"]


async def test_with_problems_or_dry_nothing_changes(kit: ProxyKit) -> None:
    """Not even in part, and no audit line says so."""
    await apply(kit, WHOLE)
    before = await kit.configuration.show(), await kit.audited()
    assert (await apply(kit, '[server]\nport = 1\nbody = "x"')).problems
    assert (await apply(kit, "[server]\nport = 1", dry_run=True, digest="dry")).changes
    deep = "x = " + "[" * 40 + "]" * 40
    with pytest.raises(ProblemError):
        parse(deep.encode())
    nested: Mapping[str, Any] = {}
    for _ in range(40):
        nested = {"x": nested}
    applied = await kit.configuration.apply(
        dict(nested), base="", prune=False, dry_run=False, actor=MACHINE, environment={}, waiting={}, now=NOW
    )
    assert [one.code for one in applied.problems] == ["document_too_deep"]
    assert (await kit.configuration.show(), await kit.audited()) == before
    assert await kit.configuration.last_applied() == ""


async def test_only_the_machine_names_files(kit: ProxyKit) -> None:
    """A token may set what reads nothing on the machine."""
    token = Actor(name="token:ci")
    refused = await apply(kit, '[server]\ntls_certificate = "c.pem"\ntls_key = "k.pem"\nport = 1', actor=token)
    assert [(one.code, one.path) for one in refused.problems] == [
        ("needs_machine", "server.tls_certificate"),
        ("needs_machine", "server.tls_key"),
    ]
    assert (await apply(kit, "[server]\nport = 1", actor=token)).problems == ()
    assert ("token:ci", "config.apply", "server.port added") in await kit.audited()


async def test_the_proxys_key_stays_the_same(kit: ProxyKit) -> None:
    """It is made once, is sealed, and opens with no other key file."""
    first = await kit.configuration.signing_key(b"k" * 32)
    assert first == b"k" * 32 == await kit.configuration.signing_key(b"other" + b"x" * 27)
    await kit.database.close()
    stored = [file.read_bytes() for file in kit.path.parent.iterdir()]
    assert not [data for data in stored if b"k" * 32 in data or (b"k" * 32).hex().encode() in data]
    async with proxy_kit(kit.path.parent, key=bytes(32)) as other:
        with pytest.raises(ProblemError) as caught:
            await other.configuration.signing_key(b"n" * 32)
    assert caught.value.problems[0].code == "key_wrong"
