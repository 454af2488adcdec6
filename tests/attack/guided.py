"""Fuzzing guided by coverage: atheris breeds a target's inputs by what they reach in our code, in a process of its own.

A process of its own, since libFuzzer ends it at the first fault, and can end one that hangs or takes too much memory.
"""

import asyncio
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO

from tests.attack.mangle import PIECES

HERE = find_spec("atheris") is not None  # it has wheels for Linux only, and not for every Python
ROOT = Path(__file__).resolve().parents[2]
_LONGEST_INPUT = 16 * 1024  # bytes
_GRACE = 300.0  # seconds beside its time that a child may take to begin and end: long, where a machine does much else
_RUNS = re.compile(r"^(?:stat::number_of_executed_units: |Done |#)(\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Limits:
    """When a child ends."""

    seconds: int
    runs: int = -1  # inputs; -1: as many as there is time for
    each: int = 10  # seconds that an input may take
    mebibytes: int = 1024  # of memory that the child may take


@dataclass(frozen=True, slots=True)
class Bred:
    """What came of it: how many inputs were tried, and in words the fault that ended it; empty: none."""

    tried: int
    fault: str = ""


async def breed(folder: Path, name: str, seeds: Sequence[bytes], limits: Limits, *, seed: int, place: str = "") -> Bred:
    """Fuzz one target of `tests.attack.targets`, or of the module at `place`, from its seeds; `folder` is new, and its own."""
    corpus = folder / "corpus"
    corpus.mkdir(parents=True)
    for number, one in enumerate(seeds):
        (corpus / f"seed-{number}").write_bytes(one)
    words, log = folder / "words.txt", folder / "log.txt"
    words.write_text("".join(f'"{_escaped(piece)}"\n' for piece in PIECES if 0 < len(piece) <= 64), encoding="ascii")
    flags = {
        "runs": limits.runs, "timeout": limits.each, "rss_limit_mb": limits.mebibytes,
        "seed": seed, "max_len": _LONGEST_INPUT, "dict": words, "artifact_prefix": f"{folder}/found-", "print_final_stats": 1,
    }  # fmt: skip
    module = ("-m", "tests.attack.guided_child", f"{place}:{name}", str(limits.seconds))
    child = (*module, *(f"-{flag}={value}" for flag, value in flags.items()))
    with log.open("wb") as out:
        code = await _ended(*child, str(corpus), out=out, seconds=limits.seconds + limits.each + _GRACE)
    said = log.read_text(encoding="utf-8", errors="replace")
    tried = max((int(count) for count in _RUNS.findall(said)), default=0)
    return Bred(tried, "" if code == 0 and tried else _told(name, code, said, folder))


async def _ended(*child: str, out: BinaryIO, seconds: float) -> int | None:
    """The exit code; None where it had to be killed."""
    process = await asyncio.create_subprocess_exec(sys.executable, *child, cwd=ROOT, stdout=out, stderr=out)
    try:
        async with asyncio.timeout(seconds):
            return await process.wait()
    except TimeoutError:
        return None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _told(name: str, code: int | None, said: str, folder: Path) -> str:
    """The fault in words, with the bytes that brought it."""
    lines = [line for line in said.splitlines() if not line.startswith(("INFO:", "WARNING:", "#", "stat::", "\tNEW"))]
    found = sorted(folder.glob("found-*"))
    brought = f" for {found[0].read_bytes()[:600]!r}" if found else ""
    why = [line for line in lines if "ERROR: libFuzzer" in line or "Error" in line or "Exception" in line]
    return f"{name}: {'; '.join(dict.fromkeys(why)) or ' '.join(lines[-5:])} (exit code {code}){brought}"


def _escaped(piece: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in piece)
