"""Windows' security descriptors: who owns a folder, whom its list of rights lets in, and a folder made with its own.

Accounts are security identifiers in text, such as S-1-5-18. Structures and constants are those of winnt.h and accctrl.h.
"""

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ctypes import POINTER, byref, c_void_p, wintypes
from dataclasses import dataclass
from pathlib import Path

_TOKEN_QUERY, _TOKEN_USER = 0x0008, 1
_FILE_OBJECT = 1
_OWNER, _DACL = 0x1, 0x4
_REVISION = 1
_DENYING = {0x1, 0x6, 0xA, 0xC}  # kinds of entries that only take away

_advapi = ctypes.WinDLL("advapi32", use_last_error=True)
_kernel = ctypes.WinDLL("kernel32", use_last_error=True)


def _declare() -> None:
    """Handles and pointers have 64 bits, which ctypes would cut to 32."""
    dword, handle, text = wintypes.DWORD, wintypes.HANDLE, wintypes.LPWSTR
    _kernel.GetCurrentProcess.restype = handle
    _kernel.CloseHandle.argtypes = [handle]
    _kernel.LocalFree.argtypes = [c_void_p]
    _kernel.LocalFree.restype = c_void_p
    _kernel.CreateDirectoryW.argtypes = [wintypes.LPCWSTR, c_void_p]
    _advapi.OpenProcessToken.argtypes = [handle, dword, POINTER(handle)]
    _advapi.GetTokenInformation.argtypes = [handle, ctypes.c_int, c_void_p, dword, POINTER(dword)]
    _advapi.ConvertSidToStringSidW.argtypes = [c_void_p, POINTER(c_void_p)]
    _advapi.ConvertStringSidToSidW.argtypes = [wintypes.LPCWSTR, POINTER(c_void_p)]
    _advapi.ConvertStringSecurityDescriptorToSecurityDescriptorW.argtypes = [
        wintypes.LPCWSTR, dword, POINTER(c_void_p), c_void_p,
    ]  # fmt: skip
    _advapi.GetNamedSecurityInfoW.argtypes = [
        wintypes.LPCWSTR, ctypes.c_int, dword, POINTER(c_void_p), c_void_p, POINTER(c_void_p), c_void_p, POINTER(c_void_p),
    ]  # fmt: skip
    _advapi.GetAce.argtypes = [c_void_p, dword, POINTER(c_void_p)]
    _advapi.LookupAccountSidW.argtypes = [
        wintypes.LPCWSTR, c_void_p, text, POINTER(dword), text, POINTER(dword), POINTER(dword),
    ]  # fmt: skip


_declare()


class _SecurityAttributes(ctypes.Structure):
    _fields_ = (("length", wintypes.DWORD), ("descriptor", c_void_p), ("inherit", wintypes.BOOL))


class _Acl(ctypes.Structure):
    _fields_ = (
        ("revision", wintypes.BYTE),
        ("zero", wintypes.BYTE),
        ("size", wintypes.WORD),
        ("count", wintypes.WORD),
        ("zeros", wintypes.WORD),
    )


class _Ace(ctypes.Structure):
    _fields_ = (
        ("kind", ctypes.c_ubyte),
        ("flags", ctypes.c_ubyte),
        ("size", wintypes.WORD),
        ("mask", wintypes.DWORD),
        ("account", wintypes.DWORD),  # where the identifier begins
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """A folder's owner, and the accounts its list lets in. `everybody`: it has no list, as on a FAT disk."""

    owner: str
    allowed: tuple[str, ...]
    everybody: bool


def account_of_process() -> str:
    """The account this process runs as."""
    token = wintypes.HANDLE()
    _check(_advapi.OpenProcessToken(_kernel.GetCurrentProcess(), _TOKEN_QUERY, byref(token)))
    try:
        size = wintypes.DWORD()
        _advapi.GetTokenInformation(token, _TOKEN_USER, None, 0, byref(size))
        buffer = ctypes.create_string_buffer(size.value)
        _check(_advapi.GetTokenInformation(token, _TOKEN_USER, buffer, size, byref(size)))
        return _text(c_void_p.from_buffer(buffer))
    finally:
        _kernel.CloseHandle(token)


def account_name(account: str) -> str:
    """Its name, such as `BUILTIN\\Users`, or the identifier itself where nobody has that name."""
    identifier = c_void_p()
    if not _advapi.ConvertStringSidToSidW(account, byref(identifier)):
        return account
    name, domain = ctypes.create_unicode_buffer(256), ctypes.create_unicode_buffer(256)
    sizes = wintypes.DWORD(len(name)), wintypes.DWORD(len(domain))
    with _freed(identifier):
        found = _advapi.LookupAccountSidW(
            None, identifier, name, byref(sizes[0]), domain, byref(sizes[1]), byref(wintypes.DWORD())
        )
    return "\\".join(part for part in (domain.value, name.value) if part) if found else account


def make_folder(path: Path, *, owner: str, accounts: Sequence[str]) -> None:
    """Make a folder that these accounts alone may enter, from its first moment on. Raises OSError."""
    entries = "".join(f"(A;OICI;FA;;;{account})" for account in accounts)
    descriptor = c_void_p()
    _check(
        _advapi.ConvertStringSecurityDescriptorToSecurityDescriptorW(
            f"O:{owner}D:P{entries}", _REVISION, byref(descriptor), None
        )
    )
    with _freed(descriptor):
        attributes = _SecurityAttributes(ctypes.sizeof(_SecurityAttributes), descriptor, False)
        _check(_kernel.CreateDirectoryW(str(path), byref(attributes)), path)


def rights_of(path: Path) -> Rights:
    """Whose a folder is and who may enter it. Raises OSError."""
    owner, acl, descriptor = c_void_p(), c_void_p(), c_void_p()
    wrong = _advapi.GetNamedSecurityInfoW(
        str(path), _FILE_OBJECT, _OWNER | _DACL, byref(owner), None, byref(acl), None, byref(descriptor)
    )
    if wrong:
        raise _error(wrong, path)
    with _freed(descriptor):
        return Rights(owner=_text(owner), allowed=tuple(_allowed(acl)), everybody=not acl)


def _allowed(acl: c_void_p) -> Iterator[str]:
    if not acl.value:
        return
    for number in range(_Acl.from_address(acl.value).count):
        place = c_void_p()
        _check(_advapi.GetAce(acl, number, byref(place)))
        assert place.value is not None  # noqa: S101 - for the type checker: GetAce has just set it
        ace = _Ace.from_address(place.value)
        if ace.kind not in _DENYING and ace.mask:
            yield _text(c_void_p(place.value + _Ace.account.offset))


def _text(identifier: c_void_p) -> str:
    text = c_void_p()
    _check(_advapi.ConvertSidToStringSidW(identifier, byref(text)))
    assert text.value is not None  # noqa: S101 - for the type checker: the call has just set it
    with _freed(text):
        return ctypes.wstring_at(text.value)


@contextmanager
def _freed(memory: c_void_p) -> Iterator[None]:
    """Give back what Windows allocated."""
    try:
        yield
    finally:
        _kernel.LocalFree(memory)


def _check(done: int, path: Path | None = None) -> None:
    if not done:
        raise _error(ctypes.get_last_error(), path)


def _error(number: int, path: Path | None) -> OSError:
    return OSError(None, ctypes.FormatError(number), str(path) if path else None, number)
