"""Targets with a fault each, behind bytes that chance alone does not come to: the fuzzer must find it."""

import time

from tests.attack.target import Target


def target(name: str) -> Target:
    """One of them."""
    takes = {"raises": _raises, "hangs": _hangs, "keeps": _keeps, "well": len}
    return Target(take=takes[name], seeds=[b"seed"])


_kept: list[bytearray] = []


def _raises(data: bytes) -> None:
    if data[:1] == b"H" and data[1:2] == b"o" and data[2:3] == b"o" and data[3:4] == b"k":
        raise KeyError("a fault that was put there")


def _hangs(data: bytes) -> None:
    if data[:1] == b"H":
        time.sleep(30)


def _keeps(data: bytes) -> None:
    if data[:1] == b"H":
        _kept.append(bytearray(300 * 1024 * 1024))
        _kept[-1][::4096] = b"x" * len(_kept[-1][::4096])
        time.sleep(2.5)  # the memory is looked at once a second
