"""What uvicorn's protocol is told: to parse HTTP and run an app, and to add or guess nothing."""

from typing import Any, cast

from uvicorn._types import ASGIApplication
from uvicorn.config import Config


def uvicorn_config(app: Any) -> Config:
    """For any ASGI app; each framework types its own in its own way."""
    config = Config(
        cast(ASGIApplication, app),
        http="httptools",
        ws="none",
        lifespan="off",
        loop="none",
        interface="asgi3",
        workers=1,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        forwarded_allow_ips="",
        server_header=False,
        date_header=False,
    )
    config.load()
    return config
