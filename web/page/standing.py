"""The standing at a proxy as the page tells it: one word, its tone and icon, and why."""

from web.membership import Standing
from web.page.words import known, t

BAD = frozenset({"down", "revoked", "unpaired"})
WARN = frozenset({"waiting_key", "paused"})


def state_shown(standing: Standing, mode: str | None) -> str:
    """The state's code: `unpaired` where the mode wants a proxy and there is none."""
    if not standing.paired:
        return "unpaired" if mode in ("proxy", "both") else "off"
    return standing.state


def why(standing: Standing) -> str:
    """Why it stands so, in a sentence or two; empty while all is well."""
    if standing.problem is None:
        key = f"proxy.why.{standing.state}"
        return t(key) if standing.paired and known(key) else ""
    return f"{standing.problem.text} {standing.problem.mend}".strip()


def old_ways(standing: Standing) -> tuple[str, ...]:
    """The ways in that a switch gave up and that are still open: direct, proxy."""
    closing = {"direct": standing.direct_closing, "proxy": standing.closing}
    return tuple(way for way, one in closing.items() if one is not None)
