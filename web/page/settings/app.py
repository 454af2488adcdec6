"""The settings' handlers."""

from litestar.types import ControllerRouterHandler

from web.page.mode import MODE_HANDLERS
from web.page.proxy import PROXY_HANDLERS
from web.page.proxy_deeds import PROXY_DEED_HANDLERS
from web.page.settings.about import ABOUT_HANDLERS
from web.page.settings.alerts import ALERT_HANDLERS
from web.page.settings.audit import audit_page
from web.page.settings.backup import BACKUP_HANDLERS
from web.page.settings.people import PEOPLE_HANDLERS
from web.page.settings.sections import SECTION_HANDLERS

SETTINGS_HANDLERS: list[ControllerRouterHandler] = [
    *SECTION_HANDLERS,
    *MODE_HANDLERS,
    *PROXY_HANDLERS,
    *PROXY_DEED_HANDLERS,
    *ALERT_HANDLERS,
    *BACKUP_HANDLERS,
    *PEOPLE_HANDLERS,
    audit_page,
    *ABOUT_HANDLERS,
]
