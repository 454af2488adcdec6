"""What strangers' bytes reach: each target takes any bytes, and lets nothing out but our own refusals."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial

from store.document import parse
from store.server_definition import read_server_configuration
from store.settings_definition import read_configuration
from tests.attack import planted
from tests.attack.furniture import AGENT_FILE, PROXY_FILE
from tests.attack.target import Target
from tests.touchpoints.factory import NOW, URL, fitting_secret, make_request, make_touchpoint
from tests.touchpoints.pull import vectors
from touchpoints.definition_setting import Reading
from touchpoints.diagnosis import explain
from touchpoints.event import Headers
from touchpoints.problem import ProblemError
from touchpoints.provider import provider_names
from touchpoints.pull.body import decode, encode
from touchpoints.pull.frames import batch_from_json, batch_to_json, decode_batch, encode_batch
from touchpoints.pull.malformed import PullMalformed
from touchpoints.pull.message import PullRequest
from touchpoints.pull.packed import pack, unpack
from touchpoints.receive import receive
from touchpoints.request import Refused
from touchpoints.sign import sign
from touchpoints.split import split_body
from touchpoints.touchpoint import Touchpoint, Verification

BODY = b'{"id":"evt_1","type":"sample","items":[{"id":1},{"id":2}],"order":{"number":"1042"}}'


def targets() -> dict[str, Target]:
    """All of them by name."""
    return {name: target(name) for name in names()}


def names() -> list[str]:
    """Of all targets."""
    return [*(f"sender {name}" for name in provider_names()), *_MAKERS]


def target(name: str) -> Target:
    """One of them; what the others need is not imported."""
    return _MAKERS[name]() if name in _MAKERS else _sender(name.removeprefix("sender "))


def _listener() -> Target:
    from tests.attack.raw_bytes import RawBytes, raw_seeds

    return Target(take=RawBytes(), seeds=raw_seeds())


def _form() -> Target:
    from tests.attack.sent_form import SentForm, form_seeds

    return Target(take=SentForm(), seeds=form_seeds())


def _sender(name: str) -> Target:
    touchpoint = make_touchpoint(name, *filter(None, (fitting_secret(name),)))
    if name == "generic":  # whose settings are all the person's own
        touchpoint = make_touchpoint(name, "a-secret", verification=Verification(signature="header:x-sum|header:x-old-sum"))
    plain = _written(((b"content-type", b"application/json"),), BODY)
    try:
        signed = _written(sign(touchpoint, BODY, (), NOW, URL, "msg_1"), BODY)
    except ProblemError:  # only the sender can hold a secret of it
        signed = plain
    return Target(take=partial(_received, touchpoint), seeds=[signed, plain])


def _received(touchpoint: Touchpoint, data: bytes) -> None:
    headers, body = _read(data)
    query = body[:200].decode("latin-1")
    for method, target in (("POST", "/hooks/orders"), ("GET", f"/hooks/orders?{query}")):
        request = make_request(body, headers, method=method, target=target)
        found = receive(request, touchpoint)
        if isinstance(found, Refused):
            explain(request, touchpoint, found.code)


def _written(headers: Headers, body: bytes) -> bytes:
    return b"\n".join([*(b": ".join(pair) for pair in headers), b"", body])


def _read(data: bytes) -> tuple[Headers, bytes]:
    """Headers as the listener gives them: names in lower case, values without line breaks."""
    head, _, body = data.partition(b"\n\n")
    pairs = [line.partition(b": ") for line in head.split(b"\n")]
    return tuple((name.lower(), value.strip(b"\r\0")) for name, _, value in pairs if name), body


def _configured(data: bytes) -> None:
    try:
        document = parse(data)
    except ProblemError:
        return
    read_configuration(document, {}, Reading())
    read_server_configuration(document, Reading())


def _refusing(work: Callable[[bytes], object]) -> Callable[[bytes], None]:
    def take(data: bytes) -> None:
        with suppress(PullMalformed):
            work(data)

    return take


def _split(data: bytes) -> None:
    for pointer in ("", "/items", "/order/number", "/items/0"):
        split_body(data, pointer)


_FRAMES = vectors.batch(), vectors.with_ask()
_TEXTS = [file.encode() for file in (planted.configuration(8420, 9), AGENT_FILE, PROXY_FILE)]
_MAKERS: dict[str, Callable[[], Target]] = {
    "listener": _listener,
    "form": _form,
    "toml": lambda: Target(take=_configured, seeds=_TEXTS),
    "frames": lambda: Target(take=_refusing(decode_batch), seeds=[encode_batch(one) for one in _FRAMES]),
    "frames in json": lambda: Target(take=_refusing(batch_from_json), seeds=[batch_to_json(one) for one in _FRAMES]),
    "packed": lambda: Target(take=_refusing(unpack), seeds=[pack(vectors.PACKED)]),
    "pull body": lambda: Target(take=_refusing(partial(decode, PullRequest)), seeds=[encode(vectors.PULL)]),
    "split": lambda: Target(take=_split, seeds=[BODY]),
}
