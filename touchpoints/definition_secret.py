"""Where secrets stand in a configuration document: by key, by a header's name, and inside URLs."""

import re

_SENSITIVE = re.compile(r"auth|key|token|secret|cookie|passw|signature|credential", re.IGNORECASE)
_USERINFO = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)@")
_PARAMETER = re.compile(r"[?&]([^=&#]*)=([^&#]*)")
_ALSO_IN_QUERY = frozenset({"code", "sig", "sas"})  # what Azure and others call a token in a URL


def is_sensitive(name: str) -> bool:
    """Whether a header or parameter of this name probably holds a secret."""
    return _SENSITIVE.search(name) is not None


def secret_spans(url: str) -> list[tuple[int, int]]:
    """Where secrets stand in a URL, from left to right: user and password, and parameters with a telling name."""
    spans = []
    if (userinfo := _USERINFO.match(url)) and userinfo[1]:
        spans.append(userinfo.span(1))
    query = url.find("?")
    for parameter in _PARAMETER.finditer(url, query) if query >= 0 else ():
        name = parameter[1].lower()
        if parameter[2] and (is_sensitive(name) or name in _ALSO_IN_QUERY):
            spans.append(parameter.span(2))
    return spans
