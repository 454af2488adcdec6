import ssl
import sys
from pathlib import Path

import pytest
import trustme

from touchpoints.destinations import trust as trust_module
from touchpoints.destinations.trust import trust


def test_certificates_are_always_verified() -> None:
    """Names and certificates are checked, with and without a private authority."""
    context = trust()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps its authorities in a store of its own")
def test_a_frozen_executable_finds_the_systems_authorities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where OpenSSL's own places are empty, the places of other systems are looked at."""
    authorities = tmp_path / "authorities.pem"
    trustme.CA().cert_pem.write_to_path(str(authorities))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))
    monkeypatch.setattr(trust_module, "_KNOWN_PLACES", (str(tmp_path / "absent"), str(authorities)))
    assert trust().cert_store_stats()["x509_ca"] == 1


def test_a_bad_file_is_an_error(tmp_path: Path) -> None:
    """A `ca` that is absent or no PEM is never passed over."""
    bad = tmp_path / "bad.pem"
    bad.write_bytes(b"no")
    for path in (bad, tmp_path / "absent"):
        with pytest.raises(OSError, match=r"."):
            trust(str(path))
