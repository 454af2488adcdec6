"""The page's certificate, where it is reached from other machines: taken up again when its files were renewed."""

import asyncio

import structlog

from touchpoints.moment import Micros
from web.listener.certificate import Certificate

log = structlog.get_logger()


class PageCertificate:
    """`current` is None while the page is on loopback alone."""

    def __init__(self) -> None:
        self.current: Certificate | None = None

    @property
    def ends(self) -> Micros | None:
        """When it expires; None without one."""
        return self.current.expires_at if self.current else None

    async def renew(self) -> None:
        """Take up a renewed pair; one that cannot be used is logged, and the old one stays."""
        if self.current and (wrong := await asyncio.to_thread(self.current.reload_if_changed)):
            log.warning("page_certificate_kept", error=str(wrong))
