"""Backups on the agent's page: why none was made, and what one that was put back leaves to be looked at."""

import re
import shutil
from pathlib import Path

import pytest

from tests.page.doorstep import OWN_FORM, OWN_LINK, browser, doorstep, sign_in
from touchpoints.moment import DAY

pytestmark = pytest.mark.anyio


async def test_one_that_cannot_be_made_says_why_on_its_screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And under what needs you, with the way there; once there is room, it is made."""
    usage = shutil.disk_usage(tmp_path)
    async with doorstep(tmp_path / "data") as agent, browser(agent) as ann:
        await sign_in(ann)
        monkeypatch.setattr("appliance.backup.backups.shutil.disk_usage", lambda _path: usage._replace(free=1000))
        refused = await ann.post("/settings/backup/make", headers=OWN_FORM)
        assert refused.status_code == 422
        assert "No backup was made" in refused.text
        assert "No backup was made" in (await ann.get("/settings/backup", headers=OWN_LINK)).text
        home = (await ann.get("/", headers=OWN_LINK)).text
        assert re.search(r'No backup was made.*href="/settings/backup"', home, re.DOTALL)
        monkeypatch.undo()
        assert (await ann.post("/settings/backup/make", headers=OWN_FORM)).status_code == 303
        (kept,) = agent._safekeeping.backups.kept()
        shown = (await ann.get("/settings/backup", headers=OWN_LINK)).text
        assert str(kept.path) in shown
        assert ">backups, in the data folder</span>" in shown  # and not "none"


async def test_what_was_put_back_is_told_until_somebody_says_that_they_looked(tmp_path: Path) -> None:
    """On the home screen and on that of the backups, with the way to what is held."""
    async with doorstep(tmp_path / "data") as agent, browser(agent) as ann:
        now = agent._clock.now()
        await agent._opened.configuration.put_back(of=now - DAY, now=now)
        await agent._safekeeping.recall()
        await sign_in(ann)
        assert "was put back" in (await ann.get("/", headers=OWN_LINK)).text
        shown = (await ann.get("/settings/backup", headers=OWN_LINK)).text
        assert 'href="/events?state=held"' in shown
        assert 'action="/settings/backup/looked"' in shown
        assert (await ann.post("/settings/backup/looked", headers=OWN_FORM)).status_code == 303
        assert 'action="/settings/backup/looked"' not in (await ann.get("/settings/backup", headers=OWN_LINK)).text
        assert "was put back" not in (await ann.get("/", headers=OWN_LINK)).text
