"""The page's screens, composed. Each noun has its file; its handlers stand in this list."""

from litestar.types import ControllerRouterHandler

from web.page.actions import act, confirm_page
from web.page.assets import static
from web.page.captured import settle_captured
from web.page.chart import chart_json
from web.page.destination_form import DESTINATION_HANDLERS
from web.page.event import body_page, event_page
from web.page.events import closed_event, events_page, new_events
from web.page.export import export_count, export_page
from web.page.home import home
from web.page.live import live
from web.page.search import scan_bodies, search_page, stop_scan
from web.page.secret_trial import secret_for_event
from web.page.sender_change import SENDER_HANDLERS
from web.page.settings.app import SETTINGS_HANDLERS
from web.page.setup import SETUP_HANDLERS
from web.page.setup_arrival import ARRIVAL_HANDLERS
from web.page.setup_touchpoint import TOUCHPOINT_STEP_HANDLERS
from web.page.setup_waiting import WAITING_HANDLERS
from web.page.signin import SIGN_IN_HANDLERS
from web.page.theme import choose_theme
from web.page.touchpoint import TOUCHPOINT_HANDLERS
from web.page.touchpoint_form import TOUCHPOINT_FORM_HANDLERS
from web.page.touchpoints import touchpoints_page

PAGE_HANDLERS: list[ControllerRouterHandler] = [
    static,
    choose_theme,
    home,
    live,
    chart_json,
    *SIGN_IN_HANDLERS,
    *SETUP_HANDLERS,
    *ARRIVAL_HANDLERS,
    *TOUCHPOINT_STEP_HANDLERS,
    *WAITING_HANDLERS,
    touchpoints_page,
    *TOUCHPOINT_FORM_HANDLERS,
    *TOUCHPOINT_HANDLERS,
    *SENDER_HANDLERS,
    settle_captured,
    *DESTINATION_HANDLERS,
    *SETTINGS_HANDLERS,
    events_page,
    new_events,
    closed_event,
    event_page,
    body_page,
    secret_for_event,
    confirm_page,
    act,
    search_page,
    scan_bodies,
    stop_scan,
    export_page,
    export_count,
]
