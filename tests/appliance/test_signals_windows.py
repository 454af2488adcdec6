import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

if sys.platform != "win32":
    pytest.skip("Windows' console events", allow_module_level=True)

ON_WINE = hasattr(ctypes.windll.ntdll, "wine_get_version")
ROOT = Path(__file__).resolve().parents[2]
WAITING = """
import asyncio, ctypes, sys
from appliance.signals import stop_on_signals

async def main():
    stop = asyncio.Event()
    stop_on_signals(stop)
    assert ctypes.windll.kernel32.GenerateConsoleCtrlEvent(int(sys.argv[1]), 0)
    async with asyncio.timeout(20):
        await stop.wait()
    print("in order", flush=True)

asyncio.run(main())
"""
# Windows sends these itself, so the handler that it would call is called.
HEARING = """
import asyncio, ctypes, threading
from appliance import signals_windows
from appliance.signals import stop_on_signals

signals_windows._LONGEST = 0

async def main():
    stop = asyncio.Event()
    stop_on_signals(stop)
    handler = signals_windows._kept[-1]
    for event, ends in ((5, False), (99, False), (6, True), (2, True), (1, True), (0, True)):
        stop.clear()
        heard = await asyncio.to_thread(handler, event)
        await asyncio.sleep(0)
        print(event, bool(heard), stop.is_set() == ends)

asyncio.run(main())
"""


def _said(code: str, *arguments: str) -> str:
    """What it says in a console of its own: an event reaches every process of a console."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        creationflags=subprocess.CREATE_NO_WINDOW,
        check=True,
        timeout=30,
    )
    return done.stdout


@pytest.mark.parametrize("event", [0, pytest.param(1, marks=pytest.mark.skipif(ON_WINE, reason="Wine ends the process"))])
def test_ctrl_c_and_ctrl_break_end_it_in_order(event: int) -> None:
    """As a person and a service wrapper send them."""
    assert _said(WAITING, str(event)) == "in order\n"


def test_a_person_who_logs_off_ends_no_service() -> None:
    """A shutdown, a closed window, Ctrl-Break and Ctrl-C do; what is unknown is left to Windows."""
    said = _said(HEARING).splitlines()
    assert said == ["5 True True", "99 False True", "6 True True", "2 True True", "1 True True", "0 True True"]
