"""Backups on the operator's page and by its API: made, kept, set, and what one that was put back leaves."""

import re
from pathlib import Path

import pytest

from appliance.proxy.server import ProxyServer
from store.people import Scope
from tests.operator.kit import Person, program
from touchpoints.moment import DAY
from web.guard_token import token_digest

pytestmark = pytest.mark.anyio


async def test_one_is_made_shown_and_written_down(role: ProxyServer, ann: Person) -> None:
    """In the person's name; the file, its size, and how to put it back."""
    assert "No backup yet" in (await ann.get("/settings/backup")).text
    made = await ann.post("/settings/backup/make")
    assert (made.status_code, made.headers["location"].partition("?")[0]) == (303, "/settings/backup")
    shown = (await ann.get("/settings/backup")).text
    (kept,) = role._safekeeping.backups.kept()
    assert str(kept.path) in shown
    assert "hookport proxy restore FILE" in shown
    ((_, line), *_) = await role.opened.people.audited(limit=1)
    assert (line.actor, line.action, line.detail) == ("ann", "backup.make", kept.path.name)


async def test_how_they_are_made_is_set_there_and_the_folder_only_by_file(role: ProxyServer, ann: Person) -> None:
    """A passphrase is never shown again; one that is too short comes back with its words."""
    form = {f"backup.{key}": value for key, value in (("at", "04:15"), ("keep", "3"), ("size", "2GiB"))}
    saved = await ann.post("/settings/section/backup", **form, **{"backup.passphrase": "seven lazy herons"})
    assert saved.headers["location"].partition("?")[0] == "/settings/backup"
    settings = role.configuration.backup
    assert (settings.at, settings.keep, settings.passphrase) == ("04:15", 3, "seven lazy herons")
    shown = (await ann.get("/settings/backup")).text
    assert "herons" not in shown
    assert 'name="backup.passphrase.remove"' in shown
    assert 'name="backup.folder"' not in shown
    assert ">backups, in the data folder</span>" in shown  # and not "none"
    assert "hookport proxy config apply" in shown
    wrong = await ann.post("/settings/section/backup", **form, **{"backup.passphrase": "short"})
    assert wrong.status_code == 422
    assert "at least 12 characters" in wrong.text
    assert "backup." not in (await ann.get("/settings/server")).text


async def test_without_room_the_page_says_why(ann: Person, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """On the screen, and under what needs the operator, with the way here."""
    import shutil

    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr("appliance.backup.backups.shutil.disk_usage", lambda _path: usage._replace(free=1000))
    refused = await ann.post("/settings/backup/make")
    assert refused.status_code == 422
    assert "No backup was made" in refused.text
    assert refused.text.count("No backup was made") == 1
    assert (await ann.get("/settings/backup")).text.count("No backup was made") == 1
    home = (await ann.get("/")).text
    assert re.search(r'No backup was made.*href="/settings/backup"', home, re.DOTALL)


async def test_after_a_restore_everything_of_then_is_listed_until_somebody_has_looked(role: ProxyServer, ann: Person) -> None:
    """Organisations with their agents, each with its own screen; on the home screen what to do, and where."""
    await ann.post("/add-organisation", name="acme", quota_events="", quota_bytes="")
    now = role._clock.now()
    await role.opened.configuration.put_back(of=now - DAY, now=now)
    await role._safekeeping.recall()
    assert (await ann.get("/settings/backup")).status_code == 303  # nobody is signed in any more
    await ann.sign_in()
    assert re.search(r'are as they were then.*href="/settings/backup"', (await ann.get("/")).text, re.DOTALL)
    shown = (await ann.get("/settings/backup")).text
    assert '<a href="/organisations/acme">' in shown
    assert "none yet" in shown
    async with program(role) as api:
        assert (await api.get("/backups")).json()["restored"]
    await ann.post("/settings/backup/looked")
    shown = (await ann.get("/settings/backup")).text
    assert '<a href="/organisations/acme">' not in shown
    async with program(role) as api:
        assert (await api.get("/backups")).json() == {"backups": [], "trouble": None, "restored": None}


async def test_only_an_admins_token_makes_one(role: ProxyServer) -> None:
    """By the same paths as an agent's."""
    for scope, status in ((Scope.READ, 403), (Scope.OPERATE, 403), (Scope.ADMIN, 200)):
        await role.opened.people.add_token(scope.value, scope, token_digest(scope.value * 5), now=1)
        async with program(role, scope.value * 5) as api:
            assert (await api.post("/backups")).status_code == status
            assert (await api.get("/backups")).status_code == status
            assert (await api.post("/backups/looked")).status_code == status
