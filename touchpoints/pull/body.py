"""The JSON bodies of the pull API: values to bytes, and bytes to values, strictly checked."""

from typing import Any, TypeVar, cast

import orjson

from touchpoints.problem import Problem
from touchpoints.pull.malformed import PullMalformed
from touchpoints.pull.shape import SHAPES

Value = TypeVar("Value")

LARGEST_BODY = 4 * 1024 * 1024  # bytes of a request or answer that is no batch

_LONGEST_WORDS = 1000
_LONGEST_CODE = 64


def encode(value: object) -> bytes:
    """The JSON body of a value: PullRequest, Acknowledged, Reply, Declaration, PairRequest, PairAnswer and all of `call`."""
    return orjson.dumps(SHAPES[type(value)].write(value))


def decode(kind: type[Value], data: bytes, *, limit: int = LARGEST_BODY) -> Value:
    """A value of that kind. Unknown keys are passed over, so that keys can be added. Raises PullMalformed."""
    return cast(Value, SHAPES[kind].read(parse(data, limit)))


def parse(data: bytes, limit: int) -> Any:
    """What stands in JSON. Raises PullMalformed."""
    if len(data) > limit:
        raise PullMalformed(f"more than {limit} bytes")
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise PullMalformed("not JSON") from error


def encode_problem(problem: Problem) -> bytes:
    """An error's body: {code, text, mend}."""
    return orjson.dumps({"code": problem.code, "text": problem.text, "mend": problem.mend})


def decode_problem(data: bytes) -> Problem:
    """An error that the other side states, its words bounded and without control characters. Raises PullMalformed."""
    found = parse(data, LARGEST_BODY)
    code = found.get("code") if isinstance(found, dict) else None
    if not isinstance(code, str) or not code.isascii() or not code.isidentifier() or len(code) > _LONGEST_CODE:
        raise PullMalformed("an error without a code")
    return Problem(code, _words(found.get("text")), _words(found.get("mend")))


def _words(value: object) -> str:
    text = value[:_LONGEST_WORDS] if isinstance(value, str) else ""
    return "".join(character if character.isprintable() else " " for character in text)
