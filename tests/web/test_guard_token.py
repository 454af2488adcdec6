"""Reading bearer tokens."""

import pytest

from web.guard_token import bearer, is_machine, token_digest


@pytest.mark.parametrize(
    ("values", "token"),
    [
        ([b"Bearer abc"], "abc"),
        ([b"bearer  abc "], "abc"),
        ([], None),
        ([b"Bearer"], None),
        ([b"Bearer "], None),
        ([b"Basic abc"], None),
        ([b"abc"], None),
        ([b"Bearer a", b"Bearer b"], None),
        ([b"Bearer " + b"a" * 600], None),
        ([b"Bearer \xff"], "\xff"),
    ],
)
def test_one_bearer_header_is_read(values: list[bytes], token: str | None) -> None:
    """Exactly one, of bounded length; whatever bytes it holds, reading it does not fail."""
    assert bearer([(b"authorization", value) for value in values]) == token


def test_only_the_same_token_is_the_machine() -> None:
    """Tokens are compared by digest."""
    assert is_machine(token_digest("a"), token_digest("a"))
    assert not is_machine(token_digest("a"), token_digest("b"))
