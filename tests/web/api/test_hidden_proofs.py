"""What proves a sender is hidden wherever an event is shown, by whichever of a touchpoint's ways it came."""

from dataclasses import replace

import pytest

from tests.touchpoints.factory import make_touchpoint
from tests.web.api.stand_in import SETTINGS, StandIn, event
from touchpoints.event import Verdict

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("provider", "header", "verdict", "shown"),
    [
        ("docusign", "x-docusign-signature-2", Verdict.ACCEPTED, "(hidden)"),
        ("docusign", "x-docusign-signature-2", Verdict.REFUSED, "5ig"),
        ("twilio", "x-twilio-signature", Verdict.ACCEPTED, "(hidden)"),
        ("gitlab", "x-gitlab-token", Verdict.REFUSED, "(hidden)"),
        ("gitlab", "x-gitlab-event", Verdict.REFUSED, "5ig"),
    ],
)
async def test_a_proof_is_hidden(stand_in: StandIn, provider: str, header: str, verdict: Verdict, shown: str) -> None:
    """A credential always, a signature once it fits: whoever knows it could send that body again."""
    touchpoint = replace(make_touchpoint(provider, "hush"), id=1)
    stand_in.control.settings = replace(SETTINGS, touchpoints=(touchpoint,))
    stand_in.log.keep(event(1, verdict=verdict, headers=((header.encode(), b"5ig"),)), b"{}")
    async with stand_in.client() as client:
        answer = (await client.get(f"/api/v1/events/{event(1).id}")).json()
    assert answer["headers"] == [[header, shown]]
