"""The watchman in a whole agent: what it finds stands in the status, and so on the page and in `hookport status`."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from appliance.needs import process_needs
from tests.appliance.agents import TOUCHPOINT, agent_over, apply, direct
from tests.appliance.alerts.mail_server import MailServer
from tests.appliance.stage import FakeClock
from tests.store.make import NOW
from touchpoints.moment import DAY, HOUR

pytestmark = pytest.mark.anyio


async def test_a_quiet_touchpoint_needs_a_person(
    tmp_path: Path, free_port: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a limit, until the next event."""
    clock, port = FakeClock(), free_port()
    mail = MailServer(port=free_port()).start()
    alerts = f"""
[alerts]
silence = "6h"
group = "0s"
smtp_host = "127.0.0.1"
smtp_port = {mail.port}
smtp_security = "none"
email_to = ["ann@example.com"]
email_from = "h@example.com"
about = ["nothing_came"]
"""
    try:
        async with agent_over(tmp_path / "data", clock=clock) as agent, httpx.AsyncClient() as sender:
            assert (await apply(agent, direct(port) + alerts + TOUCHPOINT)).problems == ()
            watchman = agent._watchman
            monkeypatch.setattr(watchman._quiet, "_calm", lambda: True)
            await sender.post(f"http://127.0.0.1:{port}/hooks/orders", content=b"{}")
            await watchman._look_for_quiet()
            clock.forward(7 * HOUR)
            await watchman._look_for_quiet()
            (need,) = [one for one in (await agent.control.status())["needs_you"] if one["code"] == "nothing_came"]
            assert need["touchpoint"] == "orders"
            assert need["text"].startswith("Nothing came to orders for 7 h; that is longer than [alerts] allows.")
            await watchman._alerts.look()
            (letter,) = await asyncio.to_thread(mail.wait, 1)
            assert "Nothing came to orders for 7 h" in letter.text
            await sender.post(f"http://127.0.0.1:{port}/hooks/orders", content=b"{}")
            await watchman._look_for_quiet()
            assert "nothing_came" not in str(await agent.control.status())
    finally:
        mail.stop()


def test_both_certificates_are_told_before_they_end() -> None:
    """The listener's and the page's, a month ahead."""
    needs = process_needs(None, None, (), (), certificate_ends=NOW + DAY, page_certificate_ends=NOW + 2 * DAY, now=NOW)
    assert [need.problem.code for need in needs] == ["certificate_expires", "page_certificate_expires"]
    far = process_needs(None, None, (), (), certificate_ends=NOW + 90 * DAY, page_certificate_ends=NOW + 90 * DAY, now=NOW)
    assert [*far] == []
