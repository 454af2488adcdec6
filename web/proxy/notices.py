"""The notices: what a technician must know of the backlog, as problem codes."""

from store.queue import Quota
from touchpoints.pull.message import Backlog

HALF, NEAR = 0.5, 0.8


def notices(backlog: Backlog, quota: Quota) -> tuple[str, ...]:
    """quota_half, quota_near or quota_reached; nothing below half."""
    used = used_part(backlog, quota)
    if used >= 1:
        return ("quota_reached",)
    if used >= NEAR:
        return ("quota_near",)
    return ("quota_half",) if used >= HALF else ()


def used_part(backlog: Backlog, quota: Quota) -> float:
    """How much of its quota an organisation uses, by events or bytes, whichever is more; 1 is all."""
    parts = [used / most if most else 1.0 for used, most in ((backlog.events, quota.events), (backlog.bytes, quota.bytes))]
    return max(parts)
