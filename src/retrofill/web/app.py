"""The server with its pages: REST, and what browsers see beside it."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from retrofill.api.app import make_app
from retrofill.api.errors import not_served
from retrofill.api.links import PREFIX
from retrofill.bootstrap.deployment import Deployment
from retrofill.web import pages
from retrofill.web.pulse import Pulse
from retrofill.web.static_files import static_files
from retrofill.web.visits import unknown_page


def make_site(deployment: Deployment) -> FastAPI:
    """The server of a deployment, which whoever made it closes after the server has stopped."""
    app = make_app(deployment)
    app.state.pulse = Pulse()
    for module in pages.ALL:
        app.router.routes.extend(module.ROUTES)
    app.mount("/static", static_files())
    app.add_exception_handler(HTTPException, _not_served)
    return app


def _not_served(request: Request, error: Exception) -> Response:
    """What no route answers: a page for who looks for one."""
    is_asked_for_page = "text/html" in request.headers.get("Accept", "")
    if is_asked_for_page and not request.url.path.startswith(f"{PREFIX}/"):
        assert isinstance(error, HTTPException)
        return unknown_page(request, error.status_code)
    return not_served(request, error)
