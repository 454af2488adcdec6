"""POST /v1/pair: an agent joins an organisation, with a code that a person carried to it."""

import asyncio
from dataclasses import replace

from store.organisations import Newcomer, PairingCode
from touchpoints.problem import problem
from touchpoints.pull.body import decode, encode
from touchpoints.pull.key import signing_public
from touchpoints.pull.pairing import PairAnswer, PairRequest, check_agent_proof, fingerprint, proxy_proof
from web.proxy.call import NotNow, Outcome
from web.proxy.hub import Hub
from web.proxy.lease import free_lease

REFUSAL = 0.2  # seconds until a code is refused, whatever is wrong with it


async def pair(hub: Hub, body: bytes) -> Outcome:
    """Check the proof, write the agent down, prove ourselves. The code's secret half is never sent either way."""
    clock = asyncio.get_running_loop().time
    asked, began = decode(PairRequest, body), clock()
    now = hub.now()
    code = await hub.organisations.code(asked.find, now=now)
    if code is None or not check_agent_proof(code.secret, asked):
        if code is not None:
            await hub.organisations.code_failed(asked.find, now=now)
        # A wrong proof is written down and an unknown code is not: neither the words nor the time shall tell which it was.
        await asyncio.sleep(began + REFUSAL - clock())
        raise NotNow(403, problem("pairing_refused"))
    answer = await _written_down(hub, code, asked)
    return Outcome(body=encode(replace(answer, proof=proxy_proof(code.secret, asked, answer))))


async def _written_down(hub: Hub, code: PairingCode, asked: PairRequest) -> PairAnswer:
    now = hub.now()
    newcomer = Newcomer(
        name=asked.name,
        version=asked.version,
        signing_key=asked.signing_key,
        exchange_key=asked.exchange_key,
        fingerprint=fingerprint(asked.signing_key, asked.exchange_key),
        sealing_key=asked.sealing_key,
        recovery_box=asked.recovery_box,
    )
    agent = await hub.organisations.pair(code.find, hub.new_id(now), newcomer, now=now)
    await hub.refresh()
    await free_lease(hub, agent.organisation)  # of the agent that this one replaces
    organisation = hub.directory().organisations.get(agent.organisation)
    if organisation is None or organisation.sealing_key is None:
        raise NotNow(410, problem("organisation_gone"))
    return PairAnswer(
        agent_id=agent.id,
        organisation=organisation.id,
        domain=organisation.name,
        state=agent.state,
        sealing_key=organisation.sealing_key,
        proxy_key=signing_public(hub.signing_key),
        wildcard=hub.settings().wildcard,
        nonce=hub.chance(16),
    )
