"""The operator page's screens, composed. Each noun has its file; its handlers stand in this list."""

from litestar.types import ControllerRouterHandler

from web.operator.about import ABOUT_HANDLERS
from web.operator.backup import BACKUP_HANDLERS
from web.operator.home import home
from web.operator.organisation import ORGANISATION_HANDLERS
from web.operator.organisation_add import ADD_HANDLERS
from web.operator.settings import SERVER_HANDLERS
from web.operator.setup import SERVER_STEP_HANDLERS
from web.page.assets import static
from web.page.live import live
from web.page.settings.audit import audit_page
from web.page.settings.people import PEOPLE_HANDLERS
from web.page.setup import SETUP_HANDLERS
from web.page.signin import SIGN_IN_HANDLERS
from web.page.theme import choose_theme

OPERATOR_HANDLERS: list[ControllerRouterHandler] = [
    static,
    choose_theme,
    home,
    live,
    *SIGN_IN_HANDLERS,
    *SETUP_HANDLERS,
    *SERVER_STEP_HANDLERS,
    *ADD_HANDLERS,
    *ORGANISATION_HANDLERS,
    *SERVER_HANDLERS,
    *BACKUP_HANDLERS,
    *PEOPLE_HANDLERS,
    audit_page,
    *ABOUT_HANDLERS,
]
