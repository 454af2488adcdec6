"""The pull API: reads a request, lets the gatekeeper look at it, runs the call, and signs the answer."""

import asyncio
import logging
from collections.abc import Awaitable, Mapping

from litestar.types import HTTPScope, Receive

from store.inbox import StoreUnavailable
from touchpoints.event import Headers
from touchpoints.problem import ProblemError, problem
from touchpoints.pull.body import LARGEST_BODY
from touchpoints.pull.malformed import PullMalformed
from touchpoints.pull.proof import CHALLENGE, PROOF, RequestProof, sign_answer
from web.listener.body import BodyReader, SenderGone
from web.listener.intake import Taken, not_allowed
from web.proxy.call import Call, NotNow, Outcome, failure
from web.proxy.calls import CALLS, Handler
from web.proxy.gatekeeper import Turned
from web.proxy.held import Held
from web.proxy.hub import Hub
from web.proxy.leaving import leaving
from web.proxy.pairing import pair

_log = logging.getLogger(__name__)

PAIR = b"/v1/pair"
PATHS = frozenset(path for _, path in CALLS) | {PAIR}
_LARGE = 256 * 1024  # from here an answer is hashed and signed in a thread


async def api(hub: Hub, scope: HTTPScope, receive: Receive, held: Held) -> Taken:
    """Answer one call; `held` is what the answer takes of the memory for answers. Raises SenderGone, TooLarge and NoRoom."""
    method, path = scope["method"], scope["raw_path"]
    allowed = sorted({asked for asked, known in CALLS if known == path} | ({"POST"} if path == PAIR else set()))
    if method not in allowed:
        return not_allowed(tuple(allowed))
    reader = BodyReader(hub.budget, hub.patience)
    try:
        body = await reader.read(tuple(scope["headers"]), receive, LARGEST_BODY)
        if path == PAIR:
            return _plain(await _guarded(pair(hub, body)))
        async with leaving(scope, receive) as gone:
            return await _signed(hub, scope, body, held, gone)
    finally:
        reader.release()


async def _signed(hub: Hub, scope: HTTPScope, body: bytes, held: Held, gone: asyncio.Future[None]) -> Taken:
    method, path = scope["method"], scope["raw_path"]
    headers = _headers(tuple(scope["headers"]))
    query = scope["query_string"].decode("latin-1")
    whole = path.decode("ascii") + (f"?{query}" if query else "")
    try:
        admitted = hub.gatekeeper.admit(headers, method=method, path=whole, body=body)
    except Turned as turned:
        return await _finish(hub, failure(turned.status, turned.why), turned.proof, turned.challenge)
    call = Call(hub=hub, agent=admitted.agent, proof=admitted.proof, headers=headers, held=held, gone=gone, body=body)
    outcome = await _guarded(_called(call, CALLS[method, path], renewed=admitted.renewed))
    return await _finish(hub, outcome, admitted.proof, admitted.challenge)


async def _called(call: Call, handler: Handler, *, renewed: bool) -> Outcome:
    if renewed:
        await call.hub.organisations.key_used(call.agent.id, call.agent.next_signing_key)
        await call.hub.refresh()
    return await handler(call)


async def _guarded(work: Awaitable[Outcome]) -> Outcome:
    """The outcome of a call; what it raises becomes an answer too."""
    try:
        return await work
    except SenderGone:
        raise
    except NotNow as error:
        return failure(error.status, error.problems[0], retry_after=error.retry_after)
    except PullMalformed as malformed:
        return failure(400, malformed.problem)
    except StoreUnavailable as unavailable:
        return failure(503, problem("proxy_store_down"), retry_after=unavailable.retry_after)
    except ProblemError as error:
        return failure(409, error.problems[0])
    except Exception:
        _log.exception("a call of the pull API failed")
        return failure(500, problem("proxy_failed"))


async def _finish(hub: Hub, outcome: Outcome, proof: RequestProof | None, challenge: str) -> Taken:
    headers = [*outcome.headers, (b"cache-control", b"no-store")]
    if challenge:
        headers.append((CHALLENGE.encode(), challenge.encode()))
    if proof is not None:
        large = len(outcome.body) > _LARGE
        signed = await asyncio.to_thread(_sign, hub, outcome, proof) if large else _sign(hub, outcome, proof)
        headers.append((PROOF.encode(), signed.encode()))
    return Taken(status=outcome.status, headers=tuple(headers), body=outcome.body)


def _sign(hub: Hub, outcome: Outcome, proof: RequestProof) -> str:
    return sign_answer(hub.signing_key, signature=proof.signature, status=outcome.status, body=outcome.body)


def _plain(outcome: Outcome) -> Taken:
    return Taken(status=outcome.status, headers=(*outcome.headers, (b"cache-control", b"no-store")), body=outcome.body)


def _headers(headers: Headers) -> Mapping[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
