"""The cases by name: what is held in the suite (short), and what `build.py chaos` holds."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from sqlite3 import SQLITE_FULL, SQLITE_IOERR, SQLITE_READONLY
from typing import Any

from tests.chaos.found import Found


@dataclass(frozen=True, slots=True)
class Case:
    """`place` is module:function, a coroutine function over a folder that gives what it found."""

    place: str
    short: Mapping[str, Any] = field(default_factory=dict)
    long: Mapping[str, Any] = field(default_factory=dict)


CASES = {
    "agent-steps": Case("kills:agent_steps", {"stride": 9}),
    "proxy-steps": Case("kills:proxy_steps", {"stride": 8}),
    "storm": Case("kills:storm", {"seconds": 1.5}, {"seconds": 90.0, "seed": 7}),
    "exchanges": Case("network:exchanges", {"stride": 5}, {"each": 4}),
    "bad-line": Case("network:bad_line", {"seconds": 1.0}, {"seconds": 60.0, "seed": 7}),
    "half-open": Case("network:half_open"),
    "idle-60": Case("network:idle_timeout", {"idle": 60.0, "turns": 2}, {"idle": 60.0, "turns": 30}),
    "idle-12": Case("network:idle_timeout", {"idle": 12.0, "turns": 3}, {"idle": 12.0, "turns": 30}),
    "asleep": Case("network:asleep"),
    "clocks-apart": Case("network:clocks_apart", {}, {"hours": 30}),
    "lease-acknowledgement": Case("network:lease_moves", {"path": "/v1/acknowledge"}, {"path": "/v1/acknowledge", "rounds": 8}),
    "lease-pull": Case("network:lease_moves", {"path": "/v1/pull"}, {"path": "/v1/pull", "rounds": 8}),
    "lease-cut-off": Case("network:lease_moves", {"path": ""}, {"path": "", "rounds": 8}),
    "slow-line": Case("slow_line:slow_line", {}, {"rounds": 5}),
    "disk-proxy": Case("disk:proxy"),
    "disk-proxy-floor": Case("disk:proxy", {"floor": 4}, {"floor": 4}),
    "disk-agent": Case("disk:agent"),
    "restored-proxy": Case("restored:proxy_back", {"pulled": 6, "after": 3}, {"pulled": 600, "after": 300}),
    "restored-proxy-unpulled": Case("restored:proxy_back", {"pulled": 3, "unpulled": 4}, {"pulled": 300, "unpulled": 400}),
    "restored-proxy-overtaken": Case(
        "restored:proxy_back",
        {"pulled": 6, "after": 12, "running": True},
        {"pulled": 600, "after": 1200, "running": True},
    ),
    "restored-proxy-docked": Case("restored:proxy_back", {"pulled": 2, "docked": 3}, {"pulled": 200, "docked": 30}),
    "restored-proxy-docked-overtaken": Case(
        "restored:proxy_back",
        {"pulled": 2, "docked": 3, "after": 12, "running": True},
        {"pulled": 200, "docked": 30, "after": 400, "running": True},
    ),
    "restored-proxy-backup": Case(
        "restored:proxy_back",
        {"pulled": 6, "after": 3, "by_command": True},
        {"pulled": 600, "after": 300, "by_command": True},
    ),
    "restored-proxy-backup-docked": Case(
        "restored:proxy_back",
        {"pulled": 2, "docked": 3, "by_command": True},
        {"pulled": 200, "docked": 30, "by_command": True},
    ),
    "restored-agent": Case("restored:agent_back", {}, {"events": 500}),
    "restored-both": Case("restored:both_back"),
    "hostile-agent": Case("hostile:agent", {"calls": 150}, {"calls": 20_000, "seed": 7}),
    "hostile-proxy": Case("hostile:proxy", {"each": 1}, {"each": 40}),
    "middlebox": Case("hostile:middlebox", {"rounds": 1}, {"rounds": 40, "seed": 7}),
    "upgrade": Case("upgrade:upgrade", {"events": 200, "stride": 45, "whole": 2}, {"events": 3_000, "whole": 10}),
    "kill-storm": Case("executables:storm", {"kills": 20}, {"kills": 1_000, "seed": 7}),
    "power": Case("power:power", {"cuts": 4}, {"cuts": 200, "seed": 7}),
    "soak": Case("soak:soak", {"seconds": 3.0, "full_for": 1.0}, {"seconds": 3600.0}),
    "disk-full-steps": Case("faulty_disk:both", {"code": SQLITE_FULL, "strides": (23, 9)}, {"code": SQLITE_FULL}),
    "disk-read-only-steps": Case("faulty_disk:both", {"code": SQLITE_READONLY, "strides": (23, 9)}, {"code": SQLITE_READONLY}),
    "disk-broken-steps": Case("faulty_disk:both", {"code": SQLITE_IOERR, "strides": (23, 9)}, {"code": SQLITE_IOERR}),
    "disk-slow": Case("limits:slow_disk", {}, {"rounds": 10}),
    "corrupt": Case("corrupt:corrupt", {"places": 8}, {"places": 100, "seed": 7}),
    "clock-jumps": Case("clocks:jumps", {}, {"rounds": 60, "seed": 7}),
    "handles": Case("limits:handles", {}, {"rounds": 20}),
    "handles-gone": Case("no_handles:no_handles", {}, {"leave": tuple(range(16))}),
    "memory": Case("limits:memory", {"bodies": 10}, {"bodies": 16, "rounds": 10}),
    "crowd": Case(
        "crowd:agent",
        {"handles": 512, "connections": 500, "seconds": 0.5, "waves": ()},
        {"handles": 12_000, "connections": 10_000, "seconds": 15.0},
    ),
    "crowd-proxy": Case(
        "crowd:proxy",
        {"handles": 512, "connections": 500, "seconds": 0.5, "waves": ()},
        {"handles": 16_384, "connections": 10_000, "seconds": 10.0},
    ),
    "accepting": Case("accepting:accepting", {}, {"rounds": 40}),
    "simulation": Case("simulated:seeds", {"count": 5, "first": 200}, {"count": 10_000}),
    "switch": Case("switch:switch", {"each": 0.2}, {"each": 8.0, "turns": 3}),
    "described-calls": Case("attacks:described", {"examples": 1, "proxies": (True,)}, {"examples": 100_000, "seconds": 900.0}),
    "fuzz": Case("attacks:fuzz", {}, {"seconds": 1800.0, "seed": 8}),
}


async def held(case: Case, folder: Path, *, short: bool) -> Found:
    """What a case finds. Raises LeftOutError where it cannot be held here."""
    module, _, function = case.place.partition(":")
    work = getattr(importlib.import_module(f"tests.chaos.{module}"), function)
    found: Found = await work(folder, **(case.short if short else case.long))
    return found
