"""Whom we trust on the way out: the system's certificate authorities and a destination's private one. Never nobody."""

import ssl
from pathlib import Path

# A frozen executable's OpenSSL looks where the machine it was built on kept its authorities; these are the others' places.
_KNOWN_PLACES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def trust(ca: str = "") -> ssl.SSLContext:
    """A context that verifies certificates and host names. `ca` is a PEM file trusted as well; raises OSError for a bad one."""
    context = ssl.create_default_context()
    # Python 3.13 began to refuse authorities without a key usage, as home-made ones often are; 3.11 and 3.12 take them.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not context.cert_store_stats()["x509_ca"]:
        _load_known(context)
    if ca:
        context.load_verify_locations(cafile=ca)
    return context


def _load_known(context: ssl.SSLContext) -> None:
    """Nothing was loaded, without a word of why: read what is there in a way that says it. Raises OSError."""
    paths = ssl.get_default_verify_paths()
    if paths.cafile:
        context.load_verify_locations(cafile=paths.cafile)  # out of file handles, for one: else nobody were trusted for ever
        return
    if not paths.capath:
        for place in _KNOWN_PLACES:
            if Path(place).is_file():
                context.load_verify_locations(cafile=place)
                break
