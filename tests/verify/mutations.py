"""Mutations: no wrong line in what proves a sender goes unnoticed and accepts what should be refused."""

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from tests.bench.figures import Report
from tests.verify.case import FailedError, LeftOutError, must
from tests.verify.mutator import mutants

ROOT = Path(__file__).resolve().parents[2]
_NO_PROOF = {"__init__", "check"}
FILES = (
    *(
        f"touchpoints/verifiers/{file.name}"
        for file in sorted((ROOT / "touchpoints" / "verifiers").glob("*.py"))
        if file.stem not in _NO_PROOF
    ),
    "touchpoints/pointer.py",
    "touchpoints/public_key.py",
    "touchpoints/template.py",
    "touchpoints/verification.py",
    "touchpoints/receive.py",
)
TESTS = (
    "tests/touchpoints/verifiers",
    "tests/touchpoints/test_verification.py",
    "tests/touchpoints/test_pointer.py",
    "tests/touchpoints/test_public_key.py",
    "tests/touchpoints/test_receive.py",
    "tests/touchpoints/test_handshake.py",
    "tests/touchpoints/handshakes",
)
SECONDS = 5400.0  # in all; what is left then is told, and fails the case


def mutations() -> Report:
    """Run every mutant. One that the tests let live is shown all forgeries: it may prove none that the true code refuses."""
    if sys.platform == "win32":
        raise LeftOutError("mutants are forked, which Windows cannot; they are looked at on Linux and macOS")
    work = [(file, number, words) for file in FILES for number, words in enumerate(_named(file))]
    clean, found = _held(work)
    report = Report()
    alive, dangerous, late = [], [], 0
    for (file, _, words), one in zip(work, found, strict=True):
        if one is None:
            late += 1
        elif not one["killed"]:
            alive.append(f"{file} {words}")
            if more := sorted(set(one["proved"]) - set(clean["proved"])):
                dangerous.append(f"{file} {words}: proves {'; '.join(more[:3])}")
    report.add("mutants", len(work), "")
    report.add("killed by the tests", len(work) - len(alive) - late, "")
    report.add("alive, and proving no forgery", len(alive) - len(dangerous), "")
    report.notes += alive
    must(not late, f"{late} of {len(work)} mutants were not run within {SECONDS:.0f} s")
    if dangerous:
        raise FailedError("these mutants live and accept what should be refused:\n" + "\n".join(dangerous))
    return report


def _held(work: list[tuple[str, int, str]]) -> tuple[dict[str, Any], list[dict[str, Any] | None]]:
    """The true source, and each mutant, or None for those that time did not suffice for."""
    workers: SimpleQueue[_Worker] = SimpleQueue()
    made = [_Worker() for _ in range(2)]
    for worker in made:
        workers.put(worker)
    deadline = time.monotonic() + SECONDS

    def run(one: tuple[str, int, str]) -> dict[str, Any] | None:
        if time.monotonic() > deadline:
            return None
        worker = workers.get()
        try:
            return worker.run(one[0], one[1])
        finally:
            workers.put(worker)

    try:
        clean = made[0].run(FILES[0], -1)
        must(not clean["killed"], f"the tests fail without any mutant: {clean['said']}")
        must(clean["proved"], "the forgeries prove nothing at all: they are not as they should be")
        with ThreadPoolExecutor(len(made)) as pool:
            return clean, list(pool.map(run, work))
    finally:
        for worker in made:
            worker.close()


def _named(file: str) -> list[str]:
    return [words for words, _ in mutants((ROOT / file).read_text(encoding="utf-8"))]


class _Worker:
    """A process that holds one mutant after the other."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.verify.mutant", *TESTS]
        self._process = subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def run(self, file: str, number: int) -> dict[str, Any]:
        """What became of it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{file} {number}\n")
        self._process.stdin.flush()
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.communicate()
