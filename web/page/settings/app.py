"""The settings' handlers."""

from litestar.types import ControllerRouterHandler

from web.page.settings.about import ABOUT_HANDLERS
from web.page.settings.alerts import ALERT_HANDLERS
from web.page.settings.audit import audit_page
from web.page.settings.people import PEOPLE_HANDLERS
from web.page.settings.sections import SECTION_HANDLERS

SETTINGS_HANDLERS: list[ControllerRouterHandler] = [
    *SECTION_HANDLERS,
    *ALERT_HANDLERS,
    *PEOPLE_HANDLERS,
    audit_page,
    *ABOUT_HANDLERS,
]
