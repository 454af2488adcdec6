"""Half of full speed for an hour: memory, file handles, write-ahead logs and latency stay as they are, and nothing is lost."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import linear_regression, median

import httpx

from tests.bench.processes import family, open_handles, resident
from tests.chaos.executables import Both, answers, program, until
from tests.chaos.found import Found
from tests.chaos.ledger import Ledger
from tests.chaos.steady import Line, Marks, Steady, open_marks
from tests.verify.case import LeftOutError

MIB = 1024 * 1024
WINDOWS = 60  # looks at the programs in the whole run
WARM = 4  # a part of the run so small as this fraction is warming up: caches fill, files reach their size
HOUR = 3600.0
LONG = HOUR / 6  # a shorter run sees nothing but how it warms up
MORE = 10  # handles: what an hour may leave open
IDLE = 120.0  # seconds until the last unused connection is closed, at the latest
KEPT = '[retention]\nfree_disk = "0B"\nsize = "512MiB"\n'  # reached within the hour: files must not only grow


@dataclass(slots=True)
class Look:
    """What was seen of both programs at one moment."""

    at: float  # seconds since the pace began
    memory: int  # bytes
    handles: int
    wal: int  # bytes of write-ahead logs
    middle: float  # ms from the sender's first byte to the destination, the median since the last look
    slow: float  # the same, 99th percentile


@dataclass(slots=True)
class Course:
    """All looks of one run, and the handles that were open before and after it, while nobody posted."""

    looks: list[Look] = field(default_factory=list)
    at_rest: tuple[int, int] = (0, 0)

    def settled(self) -> list[Look]:
        """Without the time of warming up."""
        return self.looks[len(self.looks) // WARM :]

    def slope(self, of: str) -> float:
        """By how much something grows in an hour, by the straight line that fits best."""
        looks = self.settled()
        if len(looks) < 3:
            return 0.0
        found = linear_regression([one.at for one in looks], [float(getattr(one, of)) for one in looks])
        return found.slope * HOUR

    def middle(self, of: str) -> float:
        """Its median."""
        return median(float(getattr(one, of)) for one in self.settled())

    def most(self, of: str) -> float:
        """Its highest."""
        return max(float(getattr(one, of)) for one in self.settled())


async def soak(folder: Path, *, seconds: float, full_for: float = 10.0) -> Found:
    """Senders post to the agent and to its proxy, a destination takes everything; half of what both took at full speed."""
    marks = Marks()
    async with open_marks(marks) as sink:
        both = Both(folder, Ledger(), sink, more="concurrency = 16", kept=KEPT)
        try:
            return await _soaked(both, marks, seconds, full_for)
        finally:
            await both.close()


async def _soaked(both: Both, marks: Marks, seconds: float, full_for: float) -> Found:
    async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
        await both.begin(client)
    with _lines(both, marks) as lines:
        full = await _full_speed(lines, marks, full_for)
    course = Course()
    before = await _handles_at_rest(both, still=full_for)
    with _lines(both, marks) as lines:
        steady = Steady(lines, per_second=full / 2)
        await _watched(both, marks, steady, course, seconds)
    course.at_rest = (before, await _handles_at_rest(both, still=full_for, under=before + MORE))
    missing = await marks.arrived(seconds=60)
    await until(lambda: _there(both))
    found = Found(tried=marks.accepted_count, stuck=len(missing), repeated=marks.repeats)
    found.must(not marks.foreign, "a body that nobody sent")
    _judge(found, course, seconds)
    _must_be_half(found, steady, full, seconds)
    found.notes[:0] = [
        f"full speed {full:,.0f}/s, posted {steady.sent / max(seconds, 1):,.0f}/s for {seconds / 60:.1f} min; {program()}"
    ]
    if steady.others:
        found.notes.append(f"otherwise answered: {dict(steady.others)}")
    return found


@contextmanager
def _lines(both: Both, marks: Marks) -> Iterator[Sequence[Line]]:
    lines = [Line(url, marks) for url in (both.url, both.own_url)]
    try:
        yield lines
    finally:
        for line in lines:
            line.close()


async def _handles_at_rest(both: Both, *, still: float, under: int = 0) -> int:
    """How many are open once that has not changed for `still` seconds and is less than `under`, or after IDLE."""
    ends = time.monotonic() + IDLE
    count, since = _open_handles(both), time.monotonic()
    while (now := time.monotonic()) < ends and (now - since < still or count >= under > 0):
        await asyncio.sleep(0.5)
        if (look := _open_handles(both)) != count:
            count, since = look, time.monotonic()
    return count


def _open_handles(both: Both) -> int:
    return sum(open_handles(one) for part in (both.agent, both.proxy) for one in family(part.pid))


async def _there(both: Both) -> bool:
    async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
        return await answers(client, both.url) and await answers(client, both.own_url)


async def _full_speed(lines: Sequence[Line], marks: Marks, seconds: float) -> float:
    """Events a second from the first post to the last delivery, as fast as they are taken; the first second is for warming."""
    await _as_fast(lines, 1.0)
    await marks.arrived(seconds=60)
    before, began = marks.accepted_count, time.monotonic()
    await _as_fast(lines, seconds)
    await marks.arrived(seconds=120)
    rate = (marks.accepted_count - before) / (time.monotonic() - began)
    if rate < 20:
        raise LeftOutError(f"only {rate:.0f} events a second: something else uses this machine")
    return rate


async def _as_fast(lines: Sequence[Line], seconds: float) -> None:
    ends = time.monotonic() + seconds
    others = Counter[str]()

    async def one(line: Line) -> None:
        while time.monotonic() < ends:
            await line.post(others)

    await asyncio.gather(*[one(line) for line in lines for _ in range(8)])


async def _watched(both: Both, marks: Marks, steady: Steady, course: Course, seconds: float) -> None:
    began = time.monotonic()
    marks.latencies()
    async with asyncio.TaskGroup() as group:
        posting = group.create_task(steady.run(seconds))
        every = seconds / WINDOWS
        while not posting.done():
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(posting), every)
            if taken := marks.latencies():
                course.looks.append(_look(both, taken, time.monotonic() - began))


def _look(both: Both, taken: Sequence[float], at: float) -> Look:
    programs = [one for part in (both.agent, both.proxy) for one in family(part.pid)]
    ordered = sorted(taken)
    logs = [file for part in (both.agent, both.proxy) for file in part.folder.glob("*.db-wal")]
    return Look(
        at=at,
        memory=resident(programs),
        handles=_open_handles(both),
        wal=sum(file.stat().st_size for file in logs),
        middle=ordered[len(ordered) // 2],
        slow=ordered[len(ordered) * 99 // 100],
    )


def _must_be_half(found: Found, steady: Steady, full: float, seconds: float) -> None:
    """Who lets the pace slip, or turns events away, has not borne half of full speed."""
    if seconds < LONG:
        return
    found.must(steady.sent > 0.9 * seconds * full / 2, "the pace was not kept: the machine is too slow, or does something else")
    found.must(steady.others.total() < steady.sent / 1000, "more than one post in a thousand was not taken")


def _judge(found: Found, course: Course, seconds: float) -> None:
    """What is flat: over an hour less than a tenth more memory, ten handles, and logs no longer than at their longest once.

    Connections come and go with the load, so handles are judged where there is none: what leaks stays open.
    """
    long = seconds >= LONG

    def told(words: str, of: str, unit: str, size: float = 1.0) -> str:
        middle, slope = course.middle(of) / size, course.slope(of) / size
        return f"{words}: {middle:,.1f}{unit}" + (f", {slope:+,.1f}{unit} an hour" if long else "")

    found.notes += [
        told("memory", "memory", " MiB", MIB),
        told("handles", "handles", ""),
        told("write-ahead logs", "wal", " MiB", MIB) + f", {course.most('wal') / MIB:,.1f} MiB at most",
        told("latency, median", "middle", " ms"),
        told("latency, 99th percentile", "slow", " ms"),
    ]
    if not long:
        return
    memory, (before, after) = course.slope("memory"), course.at_rest
    found.notes.append(f"handles at rest: {before} before, {after} after")
    found.must(memory < course.middle("memory") / 10, f"memory grows by {memory / MIB:.1f} MiB an hour")
    found.must(after < before + MORE, f"handles grow from {before} to {after}")
    found.must(course.most("wal") < 64 * MIB, "the write-ahead logs grow")
    thirds = len(course.looks) // 3
    first, last = (median(one.middle for one in part) for part in (course.looks[:thirds], course.looks[-thirds:]))
    found.must(last < 2 * first + 5, f"latency went from {first:.1f} to {last:.1f} ms")
