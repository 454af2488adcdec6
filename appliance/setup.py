"""Setting up: who may, and by which link. While nobody can sign in, and after `hookport admin reset`, a start prints one."""

from appliance.role import OpenFolder
from store.settings import PageSettings
from touchpoints.problem import ProblemError, problem
from web.guard_host import is_loopback
from web.page.setup_link import SetupLink


async def link_at_start(opened: OpenFolder, link: SetupLink) -> str | None:
    """The path of a fresh link, where one is needed."""
    wished = await opened.door.take_wish()
    return link.renew() if wished or not await opened.people.persons() else None


async def check_reach(opened: OpenFolder, host: str, page: PageSettings) -> bool:
    """Whether the page listens beyond loopback. Raises ProblemError(admin_not_loopback) with all that lacks for it."""
    if is_loopback(host):
        return False
    lacks = []
    if not await opened.people.persons():
        lacks.append("nobody has a password yet (start once without --admin and set one)")
    if not page.tls_certificate:
        lacks.append("there is no certificate (tls_certificate and tls_key under [page])")
    if not page.hosts:
        lacks.append("its names are not configured (hosts under [page])")
    if lacks:
        raise ProblemError(problem("admin_not_loopback", host=host[:80], lacks=", and ".join(lacks)))
    return True
