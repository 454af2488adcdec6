"""Mutants, each in a process of its own: `python -m tests.verify.mutant TESTS...` is asked on standard input."""

import ast
import contextlib
import importlib
import importlib.abc
import importlib.machinery
import io
import json
import os
import signal
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.verify.mutator import mutants

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120  # seconds
# Left out: what takes a quarter of the time and only looks whether anything raises, which the forgeries do as well.
_LEFT_OUT = "tests/touchpoints/verifiers/test_tampering.py::test_nothing_a_stranger_sends_to_any_provider_makes_it_fail"
_QUICKLY = ("-x", "-q", "--no-header", "--assert=plain", "--timeout=30", f"--deselect={_LEFT_OUT}")


class Instead(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives the mutant for one module's name."""

    def __init__(self, name: str, path: Path, tree: ast.Module) -> None:
        self._name, self._path, self._tree = name, path, tree

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> importlib.machinery.ModuleSpec | None:
        """The spec of the mutant."""
        if name != self._name:
            return None
        spec = importlib.machinery.ModuleSpec(name, self, origin=str(self._path))
        spec.has_location = True
        return spec

    def exec_module(self, module: ModuleType) -> None:
        """Run it."""
        exec(compile(self._tree, str(self._path), "exec"), module.__dict__)  # noqa: S102 - our own source, a little changed


def held(file: str, number: int, tests: list[str]) -> dict[str, Any]:
    """Killed by the tests, or alive: then what it proves of all forgeries. Number -1 is the true source."""
    import pytest

    path = ROOT / file
    if number >= 0:
        _, tree = next(one for place, one in enumerate(mutants(path.read_text(encoding="utf-8"))) if place == number)
        sys.meta_path.insert(0, Instead(file.removesuffix(".py").replace("/", "."), path, tree))
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            killed = any(pytest.main([*_QUICKLY, *some]) != 0 for some in (_own(path), tests) if some)
        except BaseException:  # a mutant may break its own import in any way
            killed = True
    proved: list[str] = []
    if not killed:
        from tests.verify.forgeries import verdicts

        try:
            proved = sorted(words for words, verdict in verdicts().items() if verdict == "proved")
        except Exception as error:  # it cannot even sign what it should prove
            killed = True
            said.write(f"the forgeries could not be made: {error}")
    return {"killed": killed, "proved": proved, "said": "" if number >= 0 or not killed else said.getvalue()[-2000:]}


def _own(path: Path) -> list[str]:
    """The tests of the mutant's own file, to be asked first and alone: they tell soonest, and to collect all takes a second."""
    return [str(file) for file in (ROOT / "tests" / "touchpoints").glob(f"**/test_{path.stem}.py")]


def apart(file: str, number: int, tests: list[str]) -> dict[str, Any]:
    """The same in a fork of this process, which has imported everything but our own code. One that never ends is killed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(PATIENCE)
        os.close(reading)
        with os.fdopen(writing, "w", encoding="utf-8") as answer:
            json.dump(held(file, number, tests), answer)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as answer:
        told = answer.read()
    os.waitpid(child, 0)
    found: dict[str, Any] = json.loads(told) if told else {"killed": True, "proved": [], "said": "it never ended"}
    return found


def _spare_keys() -> None:
    """RSA keys that the tests of every mutant find made: to make them takes longer than all else of most."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    real = rsa.generate_private_key
    made = [real(public_exponent=65537, key_size=2048) for _ in range(8)]

    def give(public_exponent: int, key_size: int, backend: Any = None) -> rsa.RSAPrivateKey:
        return made.pop() if made and key_size == 2048 else real(public_exponent, key_size, backend)

    rsa.generate_private_key = give


def main(tests: list[str]) -> int:
    """Hold what comes on standard input, a file and a number on each line; answer each with a line of JSON."""
    for name in (
        "pytest",
        "hypothesis",
        "stripe",
        "svix",
        "slack_sdk.signature",
        "standardwebhooks",
        "httpx",
        "twilio.request_validator",
        "Adyen",
        "jwt",
        "cryptography.x509",
        "tests.verify.fixed_keys",
    ):
        importlib.import_module(name)
    _spare_keys()
    for line in sys.stdin:
        file, number = line.split()
        print(json.dumps(apart(file, int(number), tests)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
