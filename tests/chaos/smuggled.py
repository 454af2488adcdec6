"""Smuggled requests: framings that two servers may part in two ways, each with a rightly signed event hidden in it."""

import itertools
import secrets
from collections.abc import Callable

from tests.whole.senders import github

MIB = 1024 * 1024
END = b"0\r\n\r\n"

_numbers = itertools.count(1)


def smuggled(path: str, host: str) -> dict[str, bytes]:
    """What a stranger sends, by its trick. No event of any may ever run: what came before it was refused, or took it in."""
    made: dict[str, bytes] = {}
    for name, lines in _HIDES_BEHIND_CHUNKS.items():
        hidden = _signed(path, host, name)
        made[name] = _outer(path, host, *lines, b"Content-Length: %d" % len(END + hidden)) + END + hidden
    for name, of in _HIDES.items():
        made[name] = of(path, host, _signed(path, host, name))
    made["a signature in the trailers"] = _proved_late(path, host)
    return made


def plain(path: str, host: str, body: bytes, delivery: str) -> bytes:
    """Two requests that are rightly parted: the first is refused, the second is an event like any other."""
    return _outer(path, host, b"Content-Length: 0") + _post(path, host, body, delivery)


def _signed(path: str, host: str, name: str) -> bytes:
    body = b'{"smuggled": "%s %d"}' % (name.encode(), next(_numbers))
    return _post(path, host, body, secrets.token_hex(8))


def _post(path: str, host: str, body: bytes, delivery: str) -> bytes:
    headers = [b"%s: %s" % (name.encode(), value.encode()) for name, value in github(body, delivery).items()]
    return _outer(path, host, *headers, b"Content-Length: %d" % len(body)) + body


def _outer(path: str, host: str, *lines: bytes, method: bytes = b"POST", version: bytes = b"1.1") -> bytes:
    first = b"%s %s HTTP/%s" % (method, path.encode(), version)
    return b"\r\n".join((first, b"Host: " + host.encode(), *lines)) + b"\r\n\r\n"


def _chunked(path: str, host: str) -> bytes:
    return _outer(path, host, b"Transfer-Encoding: chunked")


def _proved_late(path: str, host: str) -> bytes:
    body = b'{"smuggled": "trailers %d"}' % next(_numbers)
    late = [b"%s: %s\r\n" % (name.encode(), value.encode()) for name, value in github(body, secrets.token_hex(8)).items()]
    return _chunked(path, host) + b"%x\r\n%s\r\n0\r\n%s\r\n" % (len(body), body, b"".join(late))


# A length counts the hidden request in; who hears the other line takes it for the next one.
_HIDES_BEHIND_CHUNKS = {
    "CL.TE": (b"Transfer-Encoding: chunked",),
    "xchunked": (b"Transfer-Encoding: xchunked",),
    "a vertical tab": (b"Transfer-Encoding:\x0bchunked",),
    "a NUL": (b"Transfer-Encoding: \x00chunked",),
    "a space before the colon": (b"Transfer-Encoding : chunked",),
    "a tab before the colon": (b"Transfer-Encoding\t: chunked",),
    "chunked, identity": (b"Transfer-Encoding: chunked, identity",),
    "identity, then chunked": (b"Transfer-Encoding: identity", b"Transfer-Encoding: chunked"),
    "quoted": (b'Transfer-Encoding: "chunked"',),
    "a folded line": (b"X: y", b" Transfer-Encoding: chunked"),
    "a folded value": (b"Transfer-Encoding:", b" chunked"),
    "a bare line feed": (b"X: y\nTransfer-Encoding: chunked",),
    "a bare return": (b"X: y\rTransfer-Encoding: chunked",),
    "an empty name": (b": y", b"Transfer-Encoding: chunked"),
}
_HIDES: dict[str, Callable[[str, str, bytes], bytes]] = {
    "TE.CL": lambda path, host, hidden: (
        _outer(path, host, b"Transfer-Encoding: chunked", b"Content-Length: %d" % len(b"%x\r\n" % len(hidden)))
        + b"%x\r\n%s\r\n" % (len(hidden), hidden)
        + END
    ),
    "two lengths": lambda path, host, hidden: (
        _outer(path, host, b"Content-Length: 0", b"Content-Length: %d" % len(hidden)) + hidden
    ),
    "a list of lengths": lambda path, host, hidden: _outer(path, host, b"Content-Length: 0, %d" % len(hidden)) + hidden,
    "a signed length": lambda path, host, hidden: _outer(path, host, b"Content-Length: +0") + hidden,
    "a length in hex": lambda path, host, hidden: _outer(path, host, b"Content-Length: 0x0") + hidden,
    "a folded length": lambda path, host, hidden: _outer(path, host, b"Content-Length:", b" 0") + hidden,
    "lines that end in line feeds": lambda path, host, hidden: (
        _outer(path, host, b"Content-Length: 0").replace(b"\r\n", b"\n") + hidden
    ),
    "chunks in HTTP/1.0": lambda path, host, hidden: (
        _outer(path, host, b"Transfer-Encoding: chunked", version=b"1.0") + END + hidden
    ),
    "a chunk of 0x0": lambda path, host, hidden: _chunked(path, host) + b"0x0\r\n\r\n" + hidden,
    "a chunk of -0": lambda path, host, hidden: _chunked(path, host) + b"-0\r\n\r\n" + hidden,
    "a chunk of a space": lambda path, host, hidden: _chunked(path, host) + b"0 \r\n\r\n" + hidden,
    "chunks that end in line feeds": lambda path, host, hidden: _chunked(path, host) + b"0\n\n" + hidden,
    "a chunk size that overflows": lambda path, host, hidden: _chunked(path, host) + b"1" + b"0" * 16 + b"\r\n\r\n" + hidden,
    "a chunk extension of megabytes": lambda path, host, hidden: (
        _chunked(path, host) + b"0;" + b"x" * 2 * MIB + b"\r\n\r\n" + hidden
    ),
    "trailers of megabytes": lambda path, host, hidden: (
        _chunked(path, host) + b"0\r\nX: " + b"x" * 2 * MIB + b"\r\n\r\n" + hidden
    ),
    "the body of a GET": lambda path, host, hidden: (
        _outer(path, host, b"Content-Length: %d" % len(hidden), method=b"GET") + hidden
    ),
    "the body of an unknown path": lambda path, host, hidden: (
        _outer(f"{path}-not", host, b"Content-Length: %d" % len(hidden)) + hidden
    ),
    "a body that is refused for its size": lambda path, host, hidden: (
        _outer(path, host, b"Content-Length: 10000000000") + hidden
    ),
    "a wish to go on": lambda path, host, hidden: (
        _outer(path, host, b"Expect: 100-continue", b"Content-Length: 10000000000") + hidden
    ),
    "two hosts": lambda path, host, hidden: _outer(path, host, b"Host: evil.test", b"Content-Length: 0") + hidden,
    "no host": lambda path, _host, hidden: b"POST %s HTTP/1.1\r\nContent-Length: 0\r\n\r\n" % path.encode() + hidden,
    "another scheme": lambda path, host, hidden: _outer(f"ftp://{host}{path}", host, b"Content-Length: 0") + hidden,
    "a name and a tunnel": lambda _path, host, hidden: _outer(host, host, b"Content-Length: 0", method=b"CONNECT") + hidden,
    "another protocol": lambda _path, _host, hidden: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + hidden,
}
