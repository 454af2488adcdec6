"""The page, as a browser sees it: its files, its sign-in, its setup, its screens."""

import secrets

import httpx

from appliance.selftest.child import Child
from appliance.selftest.report import must
from web.page.assets import asset_url, assets

_NAME = "admin"
SCREENS = ("/", "/touchpoints", "/touchpoints/orders", "/events", "/export", "/settings", "/settings/proxy", "/settings/alerts")
OPERATOR_SCREENS = ("/", "/organisations/acme", "/settings", "/settings/audit", "/settings/about")
_NAVIGATES = {"sec-fetch-site": "same-origin", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


class Page:
    """One browser in front of the page."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self._password = secrets.token_urlsafe(18)
        self._http = httpx.Client(base_url=child.page, headers=_NAVIGATES, trust_env=False, timeout=30)

    def static_files(self) -> None:
        """Each file that the page loads comes as it is in the program."""
        for name, asset in assets().items():
            answer = self._http.get(asset_url(name))
            must(answer.status_code == 200 and answer.content == asset.content, f"{name} is answered with {answer.status_code}")

    def set_up(self) -> None:
        """The one-time link opens, and the password set by it signs in."""
        link = self._child.json("admin", "reset")["link"]
        opened = self._http.get(link)
        must(opened.status_code == 200 and 'name="repeated"' in opened.text, f"the setup link answers {opened.status_code}")
        self._post(link, {"name": _NAME, "password": self._password, "repeated": self._password})

    def sign_in(self) -> None:
        """Whoever is not signed in is led to the form, and in by the password."""
        self._http.cookies.clear()
        answer = self._http.get("/", follow_redirects=True)
        must(answer.status_code == 200 and 'name="password"' in answer.text, f"the sign-in answers {answer.status_code}")
        self._post("/sign-in", {"name": _NAME, "password": self._password, "next": "/"})

    def screens(self, *paths: str) -> None:
        """Each screen is rendered, an event's with its body."""
        for path in paths:
            answer = self._http.get(path)
            must(answer.status_code == 200 and "</html>" in answer.text, f"{path} answers {answer.status_code}")

    def api(self) -> None:
        """The JSON API describes itself."""
        token = self._child.data.machine_token.read_text(encoding="ascii")
        answer = self._http.get("/api/v1/openapi.json", headers={"authorization": f"Bearer {token}"})
        must(answer.status_code == 200 and "/api/v1/status" in answer.json()["paths"], f"the API answers {answer.status_code}")

    def _post(self, path: str, form: dict[str, str]) -> None:
        answer = self._http.post(path, data=form, headers={"origin": self._child.page})
        must(answer.status_code == 303, f"the form at {path.split('/')[1]} is answered with {answer.status_code}")

    def close(self) -> None:
        """Close the browser."""
        self._http.close()
