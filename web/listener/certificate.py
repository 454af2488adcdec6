"""The certificate: what a listener proves itself with over TLS, read again when its files change."""

import hashlib
import ssl
from pathlib import Path

from touchpoints.handles import no_handle_left
from touchpoints.moment import Micros, from_datetime
from touchpoints.problem import Problem, ProblemError, problem


class Certificate:
    """A certificate chain and its key, both PEM files. Reading blocks for a moment: best done in a thread.

    With a `client_ca`, a PEM file too, clients are asked for a certificate of their own, which none must have. One that is
    shown must be in that file itself or issued by one that is: Python's TLS can judge a client's certificate in no other way
    (cpython#75425), so that a fingerprint alone is not enough to take it.
    """

    def __init__(self, certificate: Path, key: Path, client_ca: Path | None = None) -> None:
        """Raises ProblemError when the files cannot be used."""
        self.certificate = certificate
        self.key = key
        self.client_ca = client_ca
        self._digest = b""
        self.context, self.expires_at = self._load()

    def reload_if_changed(self) -> Problem | None:
        """Take the files as they are now; when they cannot be used, keep what was loaded and tell why, once a change."""
        try:
            if self._read_digest() == self._digest:
                return None
            self.context, self.expires_at = self._load()
        except ProblemError as error:
            return error.problems[0]
        return None

    def _read_digest(self) -> bytes:
        digest = hashlib.sha256()
        files = [(self.certificate, "certificate_unreadable"), (self.key, "certificate_key_unreadable")]
        if self.client_ca is not None:
            files.append((self.client_ca, "client_ca_unreadable"))
        for path, code in files:
            try:
                digest.update(hashlib.sha256(path.read_bytes()).digest())
            except OSError as error:
                raise ProblemError(problem(code, file=path, error=error.strerror or error)) from error
        return digest.digest()

    def _load(self) -> tuple[ssl.SSLContext, Micros]:
        self._digest = self._read_digest()  # before loading: files that change in between are read once more
        expires_at = _expiry(self.certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION
        context.set_alpn_protocols(["http/1.1"])
        asked: list[bool] = []

        def no_password() -> str:
            asked.append(True)  # without this OpenSSL would ask on the terminal
            return ""

        try:
            context.load_cert_chain(self.certificate, self.key, password=no_password)
        except (ssl.SSLError, OSError) as error:
            if asked:
                raise ProblemError(problem("certificate_key_encrypted", file=self.key)) from error
            if no_handle_left(error):
                self._digest = b""  # so that they are read again
                raise ProblemError(problem("certificate_unreadable", file=self.certificate, error=error.strerror)) from error
            raise ProblemError(problem("certificate_mismatch", file=self.certificate, key=self.key)) from error
        if self.client_ca is not None:
            _ask_clients(context, self.client_ca)
        return context, expires_at


def _ask_clients(context: ssl.SSLContext, authorities: Path) -> None:
    """Ask clients for a certificate. What stands in the file is trusted by itself, be it an authority or a client's own."""
    try:
        context.load_verify_locations(authorities)
    except (ssl.SSLError, OSError) as error:
        raise ProblemError(problem("client_ca_not_pem", file=authorities)) from error
    context.verify_mode = ssl.CERT_OPTIONAL
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN


def _expiry(path: Path) -> Micros:
    from cryptography.x509 import load_pem_x509_certificates  # two megabytes, which only TLS needs

    try:
        chain = load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise ProblemError(problem("certificate_unreadable", file=path, error=error.strerror or error)) from error
    except ValueError as error:
        raise ProblemError(problem("certificate_not_pem", file=path)) from error
    return from_datetime(chain[0].not_valid_after_utc)
