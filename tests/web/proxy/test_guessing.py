"""Guessing at the proxy: what is refused is refused alike, by its words, its headers and the work that it takes."""

import asyncio
import os
from typing import Any

import pytest

from store.remote_errors import Refused
from tests.web.proxy.kit import Forger, Site
from touchpoints.pull.key import new_signing_key
from touchpoints.pull.proof import check_request
from web.proxy import gatekeeper
from web.proxy.pairing import REFUSAL

pytestmark = pytest.mark.anyio


async def test_an_unknown_agent_costs_what_a_known_one_does(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signature is checked over the whole body for either, so that no clock tells who is paired; both get the same words."""
    agent = await site.tenant("acme")
    forger = Forger(site, agent)
    checked: list[bytes] = []

    def counted(public: bytes, *asked: Any, **said: Any) -> bool:
        checked.append(said["body"])
        return check_request(public, *asked, **said)

    monkeypatch.setattr(gatekeeper, "check_request", counted)
    headers = forger.signed("POST", "/v1/seek", b'{"to":0}', key=new_signing_key(os.urandom))
    names = (agent.pairing.agent_id, "nobody", agent.pairing.agent_id[::-1])
    answers = [await forger.send("POST", "/v1/seek", b'{"to":0}', {**headers, "hookport-agent": name}) for name in names]
    assert [(one.status_code, one.content) for one in answers] == [(401, answers[0].content)] * 3
    assert len({tuple(one.headers.items()) for one in answers}) == 1
    assert checked == [b'{"to":0}'] * 3


async def test_a_code_that_begins_rightly_is_refused_no_later_than_another(site: Site) -> None:
    """A wrong proof is written down, which takes its time: both answers wait for the same moment."""
    code = await site.organisation("acme")
    last = "0" if code[-1] != "0" else "1"
    clock = asyncio.get_running_loop().time
    for guess in (code[:-1] + last, ("0000" if code[:4] != "0000" else "1111") + code[4:]):
        began = clock()
        with pytest.raises(Refused) as error:
            await site.join(guess)
        assert error.value.code == "pairing_refused"
        assert clock() - began >= REFUSAL
    audit = [line.action for _, line in await site.role.opened.people.audited(limit=50)]
    assert audit.count("agent.pair_failed") == 1  # so one of the two was known
