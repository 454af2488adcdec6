"""The launcher of a one-file executable, on Windows: when it ends, however it ends, we end too and free our port."""

import _thread
import ctypes
import os
import signal
import sys
import threading
import time
from ctypes import POINTER, byref, wintypes
from pathlib import Path

_SYNCHRONIZE, _QUERY_LIMITED = 0x0010_0000, 0x1000
_NO_SUCH_PROCESS = 87
_FOREVER = 0xFFFF_FFFF
_LONGEST = 20.0  # seconds that putting things in order may take

_kernel = ctypes.WinDLL("kernel32", use_last_error=True)
_kernel.OpenProcess.argtypes = [wintypes.DWORD, wintypes.BOOL, wintypes.DWORD]
_kernel.OpenProcess.restype = wintypes.HANDLE
_kernel.CloseHandle.argtypes = [wintypes.HANDLE]
_kernel.WaitForSingleObject.argtypes = [wintypes.HANDLE, wintypes.DWORD]
_kernel.QueryFullProcessImageNameW.argtypes = [wintypes.HANDLE, wintypes.DWORD, wintypes.LPWSTR, POINTER(wintypes.DWORD)]


def follow_launcher() -> None:
    """Be interrupted, as by Ctrl-C, when the launcher ends. Raises SystemExit when it is gone already."""
    launcher = _kernel.OpenProcess(_SYNCHRONIZE | _QUERY_LIMITED, False, os.getppid())
    if not launcher:
        if ctypes.get_last_error() == _NO_SUCH_PROCESS:
            raise SystemExit(1)
        return
    if not _runs_our_program(launcher):  # a number that was given to another process since
        _kernel.CloseHandle(launcher)
        raise SystemExit(1)
    threading.Thread(target=_watch, args=(launcher,), name="launcher", daemon=True).start()


def _watch(launcher: int) -> None:
    _kernel.WaitForSingleObject(launcher, _FOREVER)
    _thread.interrupt_main(signal.SIGINT)
    time.sleep(_LONGEST)
    os._exit(1)


def _runs_our_program(process: int) -> bool:
    name, size = ctypes.create_unicode_buffer(32768), wintypes.DWORD(32768)
    if not _kernel.QueryFullProcessImageNameW(process, 0, name, byref(size)):
        return True  # not to be seen: better an orphan than a program that doesn't start
    try:
        return Path(name.value).samefile(sys.executable)
    except OSError:
        return True
