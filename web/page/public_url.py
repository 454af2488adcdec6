"""The public URL: where it names the port that was wanted, it names the one that is taken instead."""

import re


def with_port(url: str, wanted: str, instead: str) -> str:
    """`http://127.0.0.1:8420` with 8420 wanted and 8421 instead: `http://127.0.0.1:8421`. Another port in it stays."""
    if not (wanted.strip().isdigit() and instead.isdigit()):
        return url
    return re.sub(rf"^([a-z]+://[^/?#]*):{wanted.strip()}(?=[/?#]|$)", rf"\g<1>:{instead}", url, count=1)
