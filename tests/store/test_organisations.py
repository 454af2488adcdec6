"""The contract of a proxy's organisations: names, codes, agents, declarations; and that every change leaves its audit line."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from store.organisations import CODE_LIVES, NAME_RESTS, Newcomer, PairedAgent
from tests.store.organisations_kit import ProxyKit, proxy_kit
from touchpoints.moment import DAY, MINUTE
from touchpoints.problem import ProblemError
from touchpoints.pull.declaration import Declaration, DeclaredToken, DeclaredTouchpoint

pytestmark = pytest.mark.anyio
NOW = 1_800_000_000_000_000
SECRET = "SECRETSECRETSECR"


@pytest.fixture(params=[proxy_kit], ids=["sqlite"])
async def kit(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ProxyKit]:
    """An empty proxy, of each kind."""
    async with request.param(tmp_path) as made:
        yield made


async def add(kit: ProxyKit, name: str = "acme", now: int = NOW) -> int:
    """An organisation's id."""
    found = await kit.organisations.add(name, quota_events=None, quota_bytes=None, actor="ann", now=now)
    return found.id


async def code(kit: ProxyKit, find: str = "ABCD", *, name: str = "acme", replaces: str = "", now: int = NOW) -> None:
    """An open code."""
    await kit.organisations.open_code(name, find=find, secret=SECRET, replaces=replaces, actor="ann", now=now)


def newcomer(number: int = 1, **fields: Any) -> Newcomer:
    """An agent that pairs."""
    values: dict[str, Any] = {
        "name": f"server {number}",
        "version": "0.1.0",
        "signing_key": bytes([number]) * 32,
        "exchange_key": bytes([100 + number]) * 32,
        "fingerprint": f"print {number}",
        "sealing_key": bytes([200 + number]) * 32,
        "recovery_box": b"box %d" % number,
    }
    return Newcomer(**(values | fields))


async def pair(kit: ProxyKit, number: int = 1, *, name: str = "acme", replaces: str = "", now: int = NOW) -> PairedAgent:
    """A paired agent."""
    await code(kit, f"AB{number:02}", name=name, replaces=replaces, now=now)
    return await kit.organisations.pair(f"AB{number:02}", f"agent-{number}", newcomer(number), now=now)


async def refused(work: Any) -> str:
    """The code of the problem that a call comes to."""
    with pytest.raises(ProblemError) as caught:
        await work
    return caught.value.problems[0].code


async def test_organisations_have_names_of_their_own(kit: ProxyKit) -> None:
    """Taken, confusable, reserved and short names are refused; the others are listed by name."""
    first, second = await add(kit, "zeta"), await add(kit, "acme")
    assert [one.name for one in await kit.organisations.all()] == ["acme", "zeta"]
    assert (first, second) == (1, 2)
    codes = [await refused(add(kit, name)) for name in ("acme", "acrne", "hooks", "ab", "Acme", "../x")]
    assert codes == ["domain_taken", "domain_confusable", "name_reserved", "domain_short", "domain_invalid", "domain_invalid"]
    assert await refused(kit.organisations.named("none\x1b[2J")) == "organisation_unknown"


async def test_a_removed_name_rests_for_a_year(kit: ProxyKit) -> None:
    """All of it goes but the name, which somebody else could otherwise take with its senders; its id never comes again."""
    first = await add(kit)
    await pair(kit)
    await code(kit, "OPEN")
    await kit.organisations.declare(first, declared(b"1"), digest="d", overlap=DAY, now=NOW)
    gone = await kit.organisations.remove("acme", actor="ann", now=NOW)
    assert (gone.id, await kit.organisations.all(), await kit.organisations.endpoints()) == (first, [], [])
    assert await kit.organisations.agent("agent-1") is None
    assert await kit.organisations.code("OPEN", now=NOW) is None
    assert await refused(add(kit, now=NOW + NAME_RESTS - 1)) == "domain_rests"
    assert await add(kit, now=NOW + NAME_RESTS) > first


async def test_quotas_can_be_changed(kit: ProxyKit) -> None:
    """None is the server's default."""
    await add(kit)
    changed = await kit.organisations.change("acme", quota_events=5, quota_bytes=10**6, actor="ann", now=NOW)
    assert (changed.quota_events, changed.quota_bytes) == (5, 10**6)
    back = await kit.organisations.change("acme", quota_events=None, quota_bytes=None, actor="ann", now=NOW)
    assert (back.quota_events, back.quota_bytes) == (None, None)


async def test_a_code_is_short_lived_and_kept_sealed(kit: ProxyKit) -> None:
    """Ten minutes, five tries, and no part of the file shows it; a clock set back gives it no more time."""
    await add(kit)
    await code(kit)
    found = await kit.organisations.code("ABCD", now=NOW + CODE_LIVES - 1)
    assert found is not None
    assert (found.secret, found.tries_left) == (SECRET, 5)
    assert await kit.organisations.code("ABCD", now=NOW + CODE_LIVES) is None
    assert await kit.organisations.code("ABCD", now=NOW - 1) is None
    assert await kit.organisations.code("WXYZ", now=NOW) is None
    assert SECRET not in repr(found)
    assert not [file for file in kit.path.parent.iterdir() if SECRET.encode() in file.read_bytes()]
    for left in (4, 3, 2, 1, 0):
        await kit.organisations.code_failed("ABCD", now=NOW)
        found = await kit.organisations.code("ABCD", now=NOW)
        assert (found.tries_left if found else 0) == left
    assert await refused(kit.organisations.pair("ABCD", "agent-1", newcomer(), now=NOW)) == "pairing_code_spent"
    assert await refused(code(kit)) == "pairing_code_clash"
    await code(kit, now=NOW + CODE_LIVES)


async def test_the_first_agent_brings_the_key_and_later_ones_wait(kit: ProxyKit) -> None:
    """Only an agent that has the key can hand it over, and only to one that waits in the same organisation."""
    number, other = await add(kit), await add(kit, "zeta")
    first = await pair(kit)
    organisation = await kit.organisations.named("acme")
    assert (first.state, organisation.sealing_key, organisation.recovery_box) == ("ready", newcomer().sealing_key, b"box 1")
    second, third = await pair(kit, 2), await pair(kit, 3)
    assert (second.state, (await kit.organisations.named("acme")).sealing_key) == ("waiting", newcomer().sealing_key)
    hand_over = kit.organisations.hand_over
    assert await refused(hand_over(number, third.id, b"wrapped", by=second.name, now=NOW)) == "agent_not_ready"
    assert await refused(hand_over(other, second.id, b"wrapped", by=first.name, now=NOW)) == "agent_not_ready"
    assert await refused(hand_over(number, first.id, b"wrapped", by=first.name, now=NOW)) == "agent_unknown"
    await hand_over(number, second.id, b"wrapped", by=first.name, now=NOW)
    found = await kit.organisations.agent(second.id)
    assert found is not None
    assert (found.state, found.wrapped_key) == ("waiting", b"wrapped")
    await kit.organisations.ready(second.id, now=NOW)
    assert [agent.state for agent in await kit.organisations.agents(number)] == ["ready", "ready", "waiting"]


async def test_the_first_agent_must_bring_a_key(kit: ProxyKit) -> None:
    """Without one nothing could be sealed; the code is not spent by that."""
    await add(kit)
    await code(kit)
    keyless = newcomer(sealing_key=b"")
    assert await refused(kit.organisations.pair("ABCD", "agent-1", keyless, now=NOW)) == "pairing_key_missing"
    assert (await kit.organisations.pair("ABCD", "agent-1", newcomer(), now=NOW)).state == "ready"


async def test_a_lost_answer_can_be_asked_for_again(kit: ProxyKit) -> None:
    """By the same key while the code would live; by no other."""
    await add(kit)
    first = await pair(kit)
    again = await kit.organisations.pair("AB01", "agent-9", newcomer(), now=NOW + 9 * MINUTE)
    assert again == first
    spent = await kit.organisations.code("AB01", now=NOW)
    assert spent is not None
    assert spent.spent_by == "agent-1"
    pairing = kit.organisations.pair
    assert await refused(pairing("AB01", "agent-9", newcomer(9), now=NOW)) == "pairing_code_spent"
    assert await refused(pairing("AB01", "agent-9", newcomer(), now=NOW + CODE_LIVES)) == "pairing_code_spent"
    assert len(await kit.organisations.agents(1)) == 1


async def test_of_many_with_one_code_one_is_paired(kit: ProxyKit) -> None:
    """However close together they come."""
    await add(kit)
    await code(kit)
    pairings = [kit.organisations.pair("ABCD", f"agent-{n}", newcomer(n), now=NOW) for n in range(1, 6)]
    results = await asyncio.gather(*pairings, return_exceptions=True)
    assert len([result for result in results if isinstance(result, PairedAgent)]) == 1


async def test_a_replaced_agent_is_revoked_with_the_pairing(kit: ProxyKit) -> None:
    """By name or id; two agents that are there never share a name."""
    number = await add(kit)
    await pair(kit)
    assert await refused(code(kit, replaces="nobody")) == "agent_unknown"
    await code(kit, replaces="server 1")
    second = await kit.organisations.pair("ABCD", "agent-2", newcomer(2, name="server 1"), now=NOW)
    assert second.name == "server 1"
    await code(kit, "EFGH")
    third = await kit.organisations.pair("EFGH", "agent-3", newcomer(3, name="server 1"), now=NOW)
    assert third.name == "server 1 2"
    states = [(agent.id, agent.state) for agent in await kit.organisations.agents(number)]
    assert states == [("agent-2", "waiting"), ("agent-3", "waiting"), ("agent-1", "revoked")]
    assert (await kit.organisations.revoke(number, "server 1", actor="ann", now=NOW)).id == "agent-2"
    assert await refused(kit.organisations.revoke(number + 1, "agent-3", actor="ann", now=NOW)) == "agent_unknown"
    assert await refused(kit.organisations.renew_key("agent-2", new=b"n" * 32, now=NOW)) == "agent_unknown"


async def test_a_key_is_renewed_without_a_gap(kit: ProxyKit) -> None:
    """Both are good until the new one is used; a stranger's key changes nothing."""
    await add(kit)
    first = await pair(kit)
    await kit.organisations.renew_key(first.id, new=b"n" * 32, now=NOW)
    for used in (b"", b"x" * 32):
        await kit.organisations.key_used(first.id, used)
        found = await kit.organisations.agent(first.id)
        assert found is not None
        assert (found.signing_key, found.next_signing_key) == (first.signing_key, b"n" * 32)
    await kit.organisations.key_used(first.id, b"n" * 32)
    found = await kit.organisations.agent(first.id)
    assert found is not None
    assert (found.signing_key, found.next_signing_key) == (b"n" * 32, b"")


async def test_sightings_are_kept(kit: ProxyKit) -> None:
    """When, which version, and what it lacks; an agent that is gone is passed over."""
    await add(kit)
    await pair(kit)
    await kit.organisations.seen({"agent-1": (NOW + 5, "0.2.0", ("orders", "stock")), "gone": (NOW, "", ())})
    found = await kit.organisations.agent("agent-1")
    assert found is not None
    assert (found.last_seen_at, found.version, found.lacking) == (NOW + 5, "0.2.0", ("orders", "stock"))


def token(name: bytes, *, retiring: bool = False) -> DeclaredToken:
    """A token by its name."""
    return DeclaredToken(digest=name * 32, sealed=b"sealed " + name, retiring=retiring)


def declared(*tokens: bytes, name: str = "orders", **fields: Any) -> Declaration:
    """One touchpoint with tokens."""
    touchpoint = DeclaredTouchpoint(name=name, tokens=tuple(token(one) for one in tokens), **fields)
    return Declaration(touchpoints=(touchpoint,))


async def test_a_declaration_is_given_back_whole(kit: ProxyKit) -> None:
    """In its order, with all its tokens, and as endpoints for the listener."""
    number = await add(kit)
    whole = Declaration(
        touchpoints=(
            DeclaredTouchpoint(name="stock", aliases=("old-stock",), ack="accepted_202", tokens=(token(b"2"), token(b"1"))),
            DeclaredTouchpoint(name="orders", methods=("POST", "GET"), handshake="echo:challenge", tokens=(token(b"3"),)),
            DeclaredTouchpoint(name="bare", state="hold"),
        )
    )
    await kit.organisations.declare(number, whole, digest="d1", overlap=DAY, now=NOW)
    assert await kit.organisations.declaration(number) == ("d1", whole)
    assert (await kit.organisations.named("acme")).declaration == "d1"
    endpoints = {one.token_digest[:1]: one for one in await kit.organisations.endpoints()}
    assert endpoints.keys() == {b"1", b"2", b"3"}
    assert endpoints[b"1"].names == {"stock", "old-stock"}
    assert (endpoints[b"3"].domain, endpoints[b"3"].methods, endpoints[b"3"].handshake) == (
        "acme",
        ("POST", "GET"),
        "echo:challenge",
    )
    assert (endpoints[b"2"].ack, endpoints[b"2"].retires_at, endpoints[b"2"].organisation) == ("accepted_202", None, number)


async def retiring(kit: ProxyKit) -> dict[bytes, int | None]:
    """When each token retires."""
    return {one.token_digest[:1]: one.retires_at for one in await kit.organisations.endpoints()}


async def test_a_withdrawn_token_is_answered_for_the_overlap(kit: ProxyKit) -> None:
    """Also where its touchpoint is gone; declaring again neither prolongs nor shortens it; back, it is whole."""
    number = await add(kit)
    declare = kit.organisations.declare
    await declare(number, declared(b"1", b"2"), digest="d1", overlap=DAY, now=NOW)
    await declare(number, declared(b"2"), digest="d2", overlap=DAY, now=NOW + 1)
    assert await retiring(kit) == {b"1": NOW + 1 + DAY, b"2": None}
    rotated = DeclaredTouchpoint(name="orders", tokens=(token(b"2", retiring=True), token(b"3")))
    await declare(number, Declaration(touchpoints=(rotated,)), digest="d3", overlap=DAY, now=NOW + 2)
    assert await retiring(kit) == {b"1": NOW + 1 + DAY, b"2": NOW + 2 + DAY, b"3": None}
    await declare(number, declared(b"1", b"3"), digest="d4", overlap=DAY, now=NOW + 3)
    assert await retiring(kit) == {b"1": None, b"2": NOW + 2 + DAY, b"3": None}
    await declare(number, Declaration(), digest="d5", overlap=DAY, now=NOW + 4)
    assert await retiring(kit) == {b"1": NOW + 4 + DAY, b"2": NOW + 2 + DAY, b"3": NOW + 4 + DAY}
    assert await kit.organisations.declaration(number) == ("d5", Declaration())
    await declare(number, declared(b"1", name="renamed"), digest="d6", overlap=DAY, now=NOW + 3 * DAY)
    assert await retiring(kit) == {b"1": None}
    assert (await kit.organisations.endpoints())[0].names == {"renamed"}


async def test_a_disabled_touchpoint_is_no_endpoint(kit: ProxyKit) -> None:
    """It cannot be told from an unknown one."""
    number = await add(kit)
    await kit.organisations.declare(number, declared(b"1", state="disabled"), digest="d", overlap=DAY, now=NOW)
    assert await kit.organisations.endpoints() == []


async def test_another_organisations_token_is_refused(kit: ProxyKit) -> None:
    """The whole declaration is, and the other one keeps its endpoint."""
    first, second = await add(kit), await add(kit, "zeta")
    await kit.organisations.declare(first, declared(b"1"), digest="d1", overlap=DAY, now=NOW)
    await kit.organisations.declare(second, declared(b"2"), digest="d2", overlap=DAY, now=NOW)
    stolen = kit.organisations.declare(second, declared(b"3", b"1"), digest="d3", overlap=DAY, now=NOW)
    assert await refused(stolen) == "token_taken"
    assert {one.token_digest[:1]: one.domain for one in await kit.organisations.endpoints()} == {b"1": "acme", b"2": "zeta"}
    assert await kit.organisations.declaration(second) == ("d2", declared(b"2"))


async def test_every_change_leaves_an_audit_line(kit: ProxyKit) -> None:
    """Who did what; no secret among it."""
    number = await add(kit)
    await pair(kit)
    await kit.organisations.code_failed("AB01", now=NOW)
    await pair(kit, 2)
    await kit.organisations.hand_over(number, "agent-2", b"wrapped", by="server 1", now=NOW)
    await kit.organisations.ready("agent-2", now=NOW)
    await kit.organisations.ready("agent-2", now=NOW)
    await kit.organisations.renew_key("agent-2", new=b"n" * 32, now=NOW)
    await kit.organisations.declare(number, declared(b"1"), digest="d", overlap=DAY, now=NOW)
    await kit.organisations.declare(number, declared(b"1"), digest="d", overlap=DAY, now=NOW)
    await kit.organisations.revoke(number, "agent-2", actor="bob", now=NOW)
    await kit.organisations.change("acme", quota_events=1, quota_bytes=None, actor="bob", now=NOW)
    await kit.organisations.remove("acme", actor="bob", now=NOW)
    assert [(actor, action) for actor, action, _ in await kit.audited()] == [
        ("ann", "organisation.add"),
        ("ann", "organisation.code"),
        ("agent:server 1", "agent.pair"),
        ("stranger", "agent.pair_failed"),
        ("ann", "organisation.code"),
        ("agent:server 2", "agent.pair"),
        ("agent:server 1", "agent.approve"),
        ("agent:server 2", "agent.ready"),
        ("agent:server 2", "agent.renew_key"),
        ("organisation:acme", "declaration"),
        ("bob", "agent.revoke"),
        ("bob", "organisation.change"),
        ("bob", "organisation.remove"),
    ]
    assert not [detail for _, _, detail in await kit.audited() if SECRET in detail or "acme" not in detail]


async def test_people_and_door_stand_in_the_same_file(kit: ProxyKit) -> None:
    """The operator signs in as a technician does at an agent."""
    await kit.people.set_password("admin", "hash", now=NOW)
    await kit.door.open_session(b"digest", "admin", now=NOW)
    found = await kit.door.session(b"digest", now=NOW)
    assert found is not None
    assert (found.person, await kit.people.password_hash("admin")) == ("admin", "hash")
