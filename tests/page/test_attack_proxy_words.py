"""A hosted proxy that lies, and other agents of the organisation: what they say stands on the page as text."""

from dataclasses import replace
from html import escape

import pytest

from store.settings import AgentSettings
from tests.page.attacker import MARK
from tests.page.standings import OTHER, PAIRED, STATE
from tests.page.stranger import TEMPLATE
from tests.web.api.stand_in import SETTINGS, StandIn
from touchpoints.problem import Problem

pytestmark = pytest.mark.anyio

WORDS = f"\"><{MARK}></{MARK}><img src=x onerror='alert(1)'>{TEMPLATE}"


@pytest.fixture
def lied_to(stand_in: StandIn) -> StandIn:
    """An agent whose proxy puts markup wherever a word of its own or of another agent may stand."""
    stand_in.control.settings = replace(SETTINGS, agent=AgentSettings(mode="proxy"))
    stand_in.membership.stands = replace(
        PAIRED,
        state="standby",
        agent_name=WORDS,
        holder=WORDS,
        host=WORDS,
        problem=Problem(code="proxy_refused", text=WORDS, mend=WORDS),
        notices=("no_such_notice", WORDS),
        lacking=(WORDS,),
    )
    spare = replace(OTHER, name=WORDS, version=WORDS, lacking=(WORDS,), unsettled=3)
    gone = replace(spare, id="gone", state="revoked", signing_key=b"4" * 32)
    stand_in.membership.told = replace(STATE, agents=(*STATE.agents, replace(spare, state="waiting"), gone), notices=(WORDS,))
    return stand_in


@pytest.mark.parametrize("path", ["/", "/settings/proxy", "/settings", "/settings/mode?to=direct", "/touchpoints", "/events"])
async def test_words_of_a_proxy_are_text(lied_to: StandIn, path: str) -> None:
    """Names, versions, holders, hosts, why it stands so, and notices that nobody knows."""
    async with lied_to.signed_in() as client:
        answer = await client.get(path)
    assert answer.status_code == 200
    assert f"<{MARK}" not in answer.text
    assert "<img src=x" not in answer.text
    assert "49" not in answer.text.partition(f"{MARK}&gt;")[2].partition("__class__")[0]
    if path == "/settings/proxy":  # so the test looked at the right thing
        assert answer.text.count(escape(f"<{MARK}>")) >= 6
        assert "no_such_notice" not in answer.text
