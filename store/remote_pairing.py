"""Pairing with a proxy, as the agent does it: keys are made here, and a code proves both sides to each other."""

from dataclasses import dataclass, field

import httpx

from store.pairing import Pairing
from store.remote_errors import ProxyBusy, Refused, Tampered, Unreachable, tampered
from store.remote_session import PATIENCE, exchange
from touchpoints.moment import Micros
from touchpoints.problem import problem
from touchpoints.pull.body import LARGEST_BODY, decode, decode_problem, encode
from touchpoints.pull.frames import JSON
from touchpoints.pull.key import Chance, exchange_public, new_exchange_key, new_signing_key, signing_public
from touchpoints.pull.malformed import PullMalformed
from touchpoints.pull.pairing import Code, PairAnswer, PairRequest, agent_proof, check_proxy_proof
from touchpoints.pull.recovery import new_recovery_key, parse_recovery_key, recovery_box

TRIES = 3  # an answer that was lost is asked for again: the proxy gives the same one


@dataclass(frozen=True, slots=True, kw_only=True)
class Newborn:
    """What an agent makes before it pairs. Kept while it is not known whether the proxy has taken it."""

    signing_key: bytes = field(repr=False)
    exchange_key: bytes = field(repr=False)
    organisation_key: bytes = field(repr=False)  # private; used where the organisation has none yet
    recovery_key: str = field(repr=False)
    recovery_box: bytes = field(repr=False)
    nonce: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """What pairing came to."""

    pairing: Pairing
    recovery_key: str = field(default="", repr=False)  # to be shown once; empty: the organisation had its keys already


def newborn(chance: Chance) -> Newborn:
    """Fresh keys."""
    organisation_key, recovery_key = new_exchange_key(chance), new_recovery_key(chance)
    box = recovery_box(
        organisation_key, parse_recovery_key(recovery_key), sealing_key=exchange_public(organisation_key), chance=chance
    )
    return Newborn(
        signing_key=new_signing_key(chance),
        exchange_key=new_exchange_key(chance),
        organisation_key=organisation_key,
        recovery_key=recovery_key,
        recovery_box=box,
        nonce=chance(16),
    )


async def pair(
    client: httpx.AsyncClient, url: str, code: Code, keys: Newborn, *, name: str, version: str, now: Micros
) -> Paired:
    """Pair. Raises RemoteError: Refused for a code that is unknown, spent or old; Tampered for an answer that proves nothing.

    `keys` may be given again after Unreachable, for as long as the code lives: the proxy then gives the same answer.
    """
    url = url.rstrip("/")
    request = _request(code, keys, name, version)
    answer = await _ask(client, url, request)
    if not check_proxy_proof(code.secret, request, answer):
        raise Tampered(problem("proxy_pairing_unproved"))
    first = answer.sealing_key == request.sealing_key
    if not first and answer.state == "ready":
        raise tampered("it calls an agent ready that has no key")
    pairing = Pairing(
        id=f"{answer.organisation}@{answer.proxy_key.hex()[:32]}",
        url=url,
        organisation=answer.organisation,
        domain=answer.domain,
        wildcard=answer.wildcard,
        agent_id=answer.agent_id,
        agent_name=name,
        signing_key=keys.signing_key,
        exchange_key=keys.exchange_key,
        proxy_key=answer.proxy_key,
        sealing_key=answer.sealing_key,
        opening_key=keys.organisation_key if first else b"",
        paired_at=now,
        key_renewed_at=now,
    )
    return Paired(pairing=pairing, recovery_key=keys.recovery_key if first else "")


def _request(code: Code, keys: Newborn, name: str, version: str) -> PairRequest:
    fields = {
        "find": code.find,
        "name": name,
        "version": version,
        "nonce": keys.nonce,
        "signing_key": signing_public(keys.signing_key),
        "exchange_key": exchange_public(keys.exchange_key),
        "sealing_key": exchange_public(keys.organisation_key),
        "recovery_box": keys.recovery_box,
    }
    unproved = PairRequest(**fields)  # type: ignore[arg-type]  # one name each, checked by the dataclass
    return PairRequest(**fields, proof=agent_proof(code.secret, unproved))  # type: ignore[arg-type]  # as above


async def _ask(client: httpx.AsyncClient, url: str, request: PairRequest) -> PairAnswer:
    headers = {"accept": JSON, "accept-encoding": "identity", "user-agent": request.version, "content-type": JSON}
    for left in reversed(range(TRIES)):
        try:
            answer = await exchange(
                client, "POST", f"{url}/v1/pair", encode(request), headers=headers, seconds=PATIENCE, most=LARGEST_BODY
            )
            break
        except Unreachable:
            if not left:
                raise
    else:
        raise AssertionError("the last try breaks or raises")
    if answer.status in {429, 503}:
        raise ProxyBusy(5.0)
    try:
        if answer.status == 200:
            return decode(PairAnswer, answer.body)
        raise Refused(answer.status, decode_problem(answer.body))
    except PullMalformed:
        raise Unreachable(problem("proxy_stranger", what=f"HTTP {answer.status}")) from None
