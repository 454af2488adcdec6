"""Declarations: the digest tells what is declared, and what stands for two is refused."""

from dataclasses import replace

import pytest
from hypothesis import given

from tests.touchpoints.pull.values import DECLARATIONS
from touchpoints.pull.body import LARGEST_BODY, decode, encode
from touchpoints.pull.declaration import (
    MOST_TOUCHPOINTS,
    Declaration,
    DeclaredToken,
    DeclaredTouchpoint,
    check_declaration,
    declaration_digest,
)
from touchpoints.pull.malformed import PullMalformed

TOKEN = DeclaredToken(digest=b"d" * 32, sealed=b"s")
ORDERS = DeclaredTouchpoint(name="orders", aliases=("old", "older"), methods=("POST", "GET"), tokens=(TOKEN,))


@given(DECLARATIONS)
def test_order_is_no_change(declaration: Declaration) -> None:
    """Of touchpoints, aliases, methods and tokens; and a token sealed again is the same token."""
    again = [
        replace(
            one,
            aliases=one.aliases[::-1],
            methods=one.methods[::-1],
            tokens=tuple(replace(token, sealed=b"again") for token in one.tokens[::-1]),
        )
        for one in declaration.touchpoints[::-1]
    ]

    assert declaration_digest(Declaration(touchpoints=tuple(again))) == declaration_digest(declaration)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "order"},
        {"aliases": ("old",)},
        {"aliases": ("oldolder",)},
        {"state": "hold"},
        {"methods": ("POST",)},
        {"ack": "soap"},
        {"handshake": "form_ping:webhook_id"},
        {"tokens": ()},
        {"tokens": (replace(TOKEN, digest=b"e" * 32),)},
        {"tokens": (replace(TOKEN, retiring=True),)},
    ],
)
def test_every_change_is_one(change: dict[str, object]) -> None:
    """Each field but the sealed token is in the digest."""
    before, after = (Declaration(touchpoints=(one,)) for one in (ORDERS, replace(ORDERS, **change)))  # type: ignore[arg-type]

    assert declaration_digest(before) != declaration_digest(after)
    assert declaration_digest(Declaration()) != declaration_digest(before)


@pytest.mark.parametrize(
    "other",
    [
        DeclaredTouchpoint(name="orders"),
        DeclaredTouchpoint(name="old"),
        DeclaredTouchpoint(name="stock", aliases=("orders",)),
        DeclaredTouchpoint(name="stock", aliases=("old",)),
        DeclaredTouchpoint(name="stock", tokens=(TOKEN,)),
        DeclaredTouchpoint(name="stock", aliases=("stock",)),
    ],
)
def test_nothing_stands_for_two(other: DeclaredTouchpoint) -> None:
    """Neither a name nor a token; decoding looks, too."""
    declaration = Declaration(touchpoints=(ORDERS, other))
    with pytest.raises(PullMalformed):
        check_declaration(declaration)
    with pytest.raises(PullMalformed):
        decode(Declaration, encode(declaration))


@pytest.mark.parametrize("change", [{"ack": "teapot"}, {"ack": ""}, {"methods": ()}, {"methods": ("post",)}, {"state": "on"}])
def test_what_is_not_declared(change: dict[str, object]) -> None:
    """An accepted event is answered by a name that the proxy knows, and some method is taken."""
    with pytest.raises(PullMalformed):
        decode(Declaration, encode(Declaration(touchpoints=(replace(ORDERS, **change),))))  # type: ignore[arg-type]


def test_the_most_that_can_be_declared_is_taken() -> None:
    """2,000 touchpoints with two tokens each fit a body."""
    tokens = [
        tuple(DeclaredToken(digest=f"{n:031}{k}".encode(), sealed=bytes(80)) for k in (0, 1)) for n in range(MOST_TOUCHPOINTS)
    ]
    declaration = Declaration(
        touchpoints=tuple(DeclaredTouchpoint(name=f"{'t' * 50}-{n}", tokens=found) for n, found in enumerate(tokens))
    )
    body = encode(declaration)

    assert len(body) < LARGEST_BODY
    assert decode(Declaration, body) == declaration
