"""The shape of challenges. What is echoed or signed for whoever asks must look like a token and like nothing else."""

import re

from touchpoints.selector import Reading

# No quote, bracket, colon, space or line end: no markup, no header, and neither a JSON document that holds anything, nor
# a text with a timestamp in front.
TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{1,256}")

# Microsoft Graph's are sentences: "Validation: Testing client application reachability for subscription Request-Id: …".
SENTENCE = re.compile(r"[A-Za-z0-9 ._~+/=:,-]{1,1024}")

LONGEST_BODY = 16 * 1024  # of a body that holds a challenge: a longer one is never read as one


def single(values: list[bytes], shape: re.Pattern[str] = TOKEN) -> str | None:
    """The challenge of that shape, of which there must be exactly one."""
    text = values[0].decode("latin-1") if len(values) == 1 else ""
    return text if shape.fullmatch(text) else None


def is_short(reading: Reading, *words: str) -> bool:
    """Whether a body is short enough and holds these words, before anybody parses it."""
    body = reading.request.body
    return len(body) <= LONGEST_BODY and all(word.encode() in body for word in words)
