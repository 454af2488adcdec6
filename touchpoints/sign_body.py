"""What a sender writes into the body that it signs: the signature, its time, or the credential it repeats there."""

import base64
import json
import re
from collections.abc import Callable, Sequence
from html import escape
from typing import Any
from urllib.parse import quote_from_bytes

from touchpoints.moment import Micros
from touchpoints.pointer import node_at, parse_json, tokens_of
from touchpoints.problem import ProblemError, problem
from touchpoints.selector import Place, parse_fields, selector
from touchpoints.signer import Signer, chosen, first_place, made, request_of, unsignable
from touchpoints.touchpoint import Touchpoint
from touchpoints.verifiers import adyen, braintree, hmac
from touchpoints.verifiers.encoding import ENCODINGS
from touchpoints.verifiers.proof import plan_of


def signed_body(touchpoint: Touchpoint, body: bytes, now: Micros, message_id: str) -> bytes:
    """The body as the touchpoint's sender would send it now; to be signed by `sign`. Most bodies stay as they are.

    Raises ProblemError(test_needs_secret, test_unsignable, secret_malformed).
    """
    signer = chosen(touchpoint, body)
    write = _WRITERS.get(signer.verification.scheme)
    return write(signer, body, now, message_id) if write else body


def _by_template(signer: Signer, body: bytes, now: Micros, message_id: str) -> bytes:
    plan = plan_of(signer.verification)
    if plan.timestamp and (place := first_place(plan.timestamp)).kind == "json":
        body = _put(body, place, plan.unit.write(now).decode())
    if plan.signature and (place := first_place(plan.signature)).kind != "header":
        body = _put(body, place, made(signer, request_of((), body, now, ""), message_id).text.decode())
    return body


def _by_token(signer: Signer, body: bytes, _now: Micros, _message_id: str) -> bytes:
    place = first_place(selector(signer.verification.credential))
    return body if place.kind in {"header", "query"} else _put(body, place, signer.verification.prefix + signer.secret)


def _by_adyen(signer: Signer, body: bytes, _now: Micros, _message_id: str) -> bytes:
    key = hmac.key_of("hex", signer.secret)
    if key is None:
        raise ProblemError(problem("secret_malformed", form="it is written in hexadecimal"))
    document = parse_json(body)
    for item in document[adyen.LIST]:
        inner = node_at(item, (adyen.ITEM,))
        text = adyen.signed_text(inner)
        if text is None or not isinstance(inner, dict):
            raise unsignable(f"json:/{adyen.LIST}")
        signature = ENCODINGS["base64"].encode(adyen.digest(key, text)).decode()
        _put_into(inner, adyen.SIGNATURE, signature, adyen.LIST)
    return _written(document)


def _by_braintree(signer: Signer, body: bytes, _now: Micros, _message_id: str) -> bytes:
    keys = braintree.parts_of(signer.secret)
    if keys is None:
        raise ProblemError(
            problem("secret_malformed", form="it is the public key and the private key with a colon between them")
        )
    fields = dict(parse_fields(body) or ())
    payload = base64.b64encode(body) if body.lstrip().startswith(b"<") else fields.get(braintree.PAYLOAD.encode(), b"")
    if not payload:
        raise unsignable(f"form:{braintree.PAYLOAD}")
    public, private = keys
    signature = public + b"|" + ENCODINGS["hex"].encode(braintree.digest(private, payload))
    return _form({braintree.SIGNATURE.encode(): signature, braintree.PAYLOAD.encode(): payload})


_WRITERS: dict[str, Callable[[Signer, bytes, Micros, str], bytes]] = {
    "hmac": _by_template,
    "hash_prefix": _by_template,
    "token": _by_token,
    "adyen": _by_adyen,
    "braintree": _by_braintree,
}


def _put(body: bytes, place: Place, text: str) -> bytes:
    """The body with a text at a place; a `*` puts it into every element. Raises ProblemError(test_unsignable)."""
    if not place.steps and place.kind == "json" and isinstance(document := parse_json(body), dict | list):
        _put_into(document, tokens_of(place.argument), text, place.argument)
        return _written(document)
    if not place.steps and place.kind == "form":
        return _form(dict(parse_fields(body) or ()) | {place.argument.encode(): text.encode()})
    if place.kind == "xml" and "@" not in place.argument:
        name = re.escape(place.argument.rpartition("/")[2])
        element = re.compile(rf"(<(?:[^\s<>/:]+:)?{name}(?:\s[^<>]*)?>)[^<]*(?=</)".encode())
        written, times = element.subn(lambda found: found[1] + escape(text, quote=False).encode(), body, count=1)
        if times:
            return written
    raise unsignable(f"{place.kind}:{place.argument}")


def _put_into(node: Any, tokens: Sequence[str], text: str, pointer: str) -> None:
    name, *rest = tokens or [""]
    if isinstance(node, list) and node and (name == "*" or name.isdigit()):
        for item in node if name == "*" else node[int(name) : int(name) + 1]:
            _put_into(item, rest, text, pointer)
        return
    if not isinstance(node, dict) or not tokens:
        raise unsignable(f"json:{pointer}")
    if rest:
        _put_into(node.setdefault(name, {}), rest, text, pointer)
    else:
        # A number stays one: Linear's time of sending is, Mailgun's is a text.
        node[name] = int(text) if isinstance(node.get(name), int) and text.isdigit() else text


def _written(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _form(fields: dict[bytes, bytes]) -> bytes:
    return "&".join(
        f"{quote_from_bytes(name, safe='')}={quote_from_bytes(value, safe='')}" for name, value in fields.items()
    ).encode()
