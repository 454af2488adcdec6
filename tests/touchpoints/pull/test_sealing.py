"""Seals: the right key opens what was sealed, for the event it was sealed for, and nothing else opens it."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from tests.touchpoints.pull import hpke
from tests.touchpoints.pull.chance import chance
from touchpoints.pull.key import exchange_public, is_exchange_key, new_exchange_key
from touchpoints.pull.sealing import (
    KEY_LIVES,
    KEY_SEALS,
    WRAPPED,
    DataKey,
    SealBroken,
    new_data_key,
    open_data_key,
    unwrap,
    unwrap_challenge,
    unwrap_organisation_key,
    unwrap_token,
    wrap,
    wrap_challenge,
    wrap_organisation_key,
    wrap_token,
)
from touchpoints.pull.text import parts
from touchpoints.pull.token import new_token

PRIVATE = new_exchange_key(chance("organisation"))
PUBLIC = exchange_public(PRIVATE)
OTHER = new_exchange_key(chance("other"))
NOW = 1_800_000_000_000_000
LOW_ORDER = [
    bytes(32),
    bytes([1]) + bytes(31),
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
]


def test_the_second_opinion_is_that_of_the_rfc() -> None:
    """RFC 9180, appendix A.1.1: its first sealed message."""
    private = X25519PrivateKey.from_private_bytes(
        bytes.fromhex("4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8")
    )
    enc = bytes.fromhex("37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431")
    sealed = bytes.fromhex("f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a")

    opened = hpke.open_sealed(enc + sealed, private, b"Ode on a Grecian Urn", aead=1, aad=b"Count-0")

    assert opened == b"Beauty is truth, truth beauty"


@given(st.binary(max_size=100), st.text(max_size=10), st.text(max_size=10))
def test_wraps_are_those_of_the_rfc(secret: bytes, purpose: str, context: str) -> None:
    """The library and the second opinion open each other's."""
    info = parts(purpose, context)
    wrapped = wrap(secret, PUBLIC, purpose=purpose, context=(context,))
    theirs = hpke.seal(secret, PUBLIC, info, one_time=X25519PrivateKey.generate())

    assert hpke.open_sealed(wrapped, X25519PrivateKey.from_private_bytes(PRIVATE), info) == secret
    assert unwrap(theirs, PRIVATE, purpose=purpose, context=(context,)) == secret
    assert unwrap(wrapped, PRIVATE, purpose=purpose, context=(context,)) == secret
    with pytest.raises(InvalidTag):
        hpke.open_sealed(wrapped, X25519PrivateKey.from_private_bytes(PRIVATE), info + b"x")


def test_each_changed_byte_of_a_wrap_is_refused() -> None:
    """Another key, purpose or context, too."""
    wrapped = wrap(b"secret", PUBLIC, purpose="a", context=("b", "c"))
    for index in range(len(wrapped)):
        changed = wrapped[:index] + bytes([wrapped[index] ^ 1]) + wrapped[index + 1 :]
        with pytest.raises(SealBroken):
            unwrap(changed, PRIVATE, purpose="a", context=("b", "c"))
    for purpose, context in (("b", ("b", "c")), ("a", ("bc",)), ("a", ("bc", "")), ("a", ("b", "c", ""))):
        with pytest.raises(SealBroken):
            unwrap(wrapped, PRIVATE, purpose=purpose, context=context)
    with pytest.raises(SealBroken):
        unwrap(wrapped, OTHER, purpose="a", context=("b", "c"))


@given(st.binary(max_size=120))
def test_any_bytes_are_only_broken(wrapped: bytes) -> None:
    """Nothing but SealBroken."""
    with pytest.raises(SealBroken):
        unwrap(wrapped, PRIVATE, purpose="a", context=())
    with pytest.raises(SealBroken):
        DataKey("k", bytes(32), organisation=1).open(wrapped, event_id="e")


@pytest.mark.parametrize("public", [*LOW_ORDER, b"", b"short"])
def test_keys_that_seal_nothing_are_told(public: bytes) -> None:
    """When one is offered, and at the latest when something is wrapped for it."""
    assert not is_exchange_key(public)
    with pytest.raises(SealBroken):
        wrap(b"secret", public, purpose="a", context=())
    with pytest.raises(SealBroken):
        unwrap(public.ljust(32, b"\0") + bytes(48), PRIVATE, purpose="a", context=())


def test_an_event_is_sealed_and_opened() -> None:
    """By the key that a batch carries, wrapped for the organisation."""
    key = new_data_key(chance("data"), organisation=7, now=NOW)
    sealed = key.seal(b"packed", event_id="e1")
    wrapped = key.wrapped(PUBLIC)

    assert len(key.id) == 26
    assert len(wrapped) == WRAPPED
    assert len(sealed) == len(b"packed") + 28
    assert open_data_key(key.id, wrapped, PRIVATE, organisation=7).open(sealed, event_id="e1") == b"packed"


def test_each_changed_byte_of_a_seal_is_refused() -> None:
    """And no event, key or organisation stands in for another."""
    key = new_data_key(chance("data"), organisation=7, now=NOW)
    sealed = key.seal(b"packed", event_id="e1")
    for index in range(len(sealed)):
        with pytest.raises(SealBroken):
            key.open(sealed[:index] + bytes([sealed[index] ^ 1]) + sealed[index + 1 :], event_id="e1")
    with pytest.raises(SealBroken):
        key.open(sealed, event_id="e2")
    with pytest.raises(SealBroken):
        DataKey(key.id, key._key, organisation=8).open(sealed, event_id="e1")
    with pytest.raises(SealBroken):
        DataKey("other", key._key, organisation=7).open(sealed, event_id="e1")
    for key_id, organisation in ((key.id, 8), ("other", 7)):
        with pytest.raises(SealBroken):
            open_data_key(key_id, key.wrapped(PUBLIC), PRIVATE, organisation=organisation)


def test_no_nonce_is_used_twice() -> None:
    """Not by threads either, which seal large bodies."""
    key = new_data_key(chance("data"), organisation=7, now=NOW)
    barrier = threading.Barrier(4)

    def seal() -> list[bytes]:
        barrier.wait(10)
        return [key.seal(b"", event_id="e")[:12] for _ in range(2000)]

    with ThreadPoolExecutor(4) as pool:
        nonces = [nonce for found in [pool.submit(seal) for _ in range(4)] for nonce in found.result()]

    assert len(set(nonces)) == 8000


def test_a_key_is_renewed() -> None:
    """After a minute, after so many seals, when the clock went back; an early one is not."""
    key = new_data_key(chance("data"), organisation=7, now=NOW)
    assert not key.due(NOW)
    assert not key.due(NOW + KEY_LIVES - 1)
    assert key.due(NOW + KEY_LIVES)
    assert key.due(NOW - 1)

    key._count = KEY_SEALS - 1
    assert not key.due(NOW)
    key._count = KEY_SEALS
    assert key.due(NOW)


def test_keys_and_prefixes_are_drawn() -> None:
    """No two keys have anything in common."""
    draw = chance("data")
    keys = [new_data_key(draw, organisation=7, now=NOW) for _ in range(20)]

    assert len({key.id for key in keys}) == len({key._key for key in keys}) == len({key._prefix for key in keys}) == 20


def test_the_organisations_key_is_handed_over() -> None:
    """To that agent alone, and only if it is the organisation's."""
    agent = new_exchange_key(chance("agent"))
    wrapped = wrap_organisation_key(PRIVATE, exchange_public(agent), organisation=7, agent="a1")

    assert unwrap_organisation_key(wrapped, agent, organisation=7, agent="a1", sealing_key=PUBLIC) == PRIVATE
    for organisation, name, sealing_key in ((8, "a1", PUBLIC), (7, "a2", PUBLIC), (7, "a1", exchange_public(OTHER))):
        with pytest.raises(SealBroken):
            unwrap_organisation_key(wrapped, agent, organisation=organisation, agent=name, sealing_key=sealing_key)
    odd = wrap_organisation_key(b"short", exchange_public(agent), organisation=7, agent="a1")
    with pytest.raises(SealBroken):
        unwrap_organisation_key(odd, agent, organisation=7, agent="a1", sealing_key=PUBLIC)


def test_a_token_is_shared() -> None:
    """With every agent of the organisation, for that touchpoint."""
    token = new_token(chance("token"))
    wrapped = wrap_token(token, PUBLIC, organisation=7, touchpoint="orders")

    assert unwrap_token(wrapped, PRIVATE, organisation=7, touchpoint="orders") == token
    for organisation, touchpoint in ((8, "orders"), (7, "stock")):
        with pytest.raises(SealBroken):
            unwrap_token(wrapped, PRIVATE, organisation=organisation, touchpoint=touchpoint)
    for odd in ("é", "a/b", "", "a" * 100):
        with pytest.raises(SealBroken):
            unwrap_token(wrap_token(odd, PUBLIC, organisation=7, touchpoint="o"), PRIVATE, organisation=7, touchpoint="o")


def test_a_challenge_opens_for_its_agent_and_nothing_else_opens_as_one() -> None:
    """Else whoever asks an agent to be ready could have it open data keys and tokens."""
    secret = chance("challenge")(32)
    wrapped = wrap_challenge(secret, PUBLIC, organisation=7, agent="one")

    assert len(wrapped) == WRAPPED
    assert unwrap_challenge(wrapped, PRIVATE, organisation=7, agent="one") == secret
    for private, organisation, agent in ((OTHER, 7, "one"), (PRIVATE, 8, "one"), (PRIVATE, 7, "two")):
        with pytest.raises(SealBroken):
            unwrap_challenge(wrapped, private, organisation=organisation, agent=agent)
    data_key = new_data_key(chance("data"), organisation=7, now=NOW)
    others = (
        data_key.wrapped(PUBLIC),
        wrap_token(new_token(chance("token")), PUBLIC, organisation=7, touchpoint="one"),
        wrap_organisation_key(PRIVATE, PUBLIC, organisation=7, agent="one"),
        wrap_challenge(secret[1:], PUBLIC, organisation=7, agent="one"),
        b"",
    )
    for other in others:
        with pytest.raises(SealBroken):
            unwrap_challenge(other, PRIVATE, organisation=7, agent="one")
