"""What programs ask, as an ASGI application: what is mounted where. Pages come to it in `web`."""

from __future__ import annotations

from functools import cache

from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute

import retrofill
from retrofill.api import errors, health, openapi, routes
from retrofill.api.dataworks.door import Entrance
from retrofill.api.guarding import Guard
from retrofill.api.heads import Heads
from retrofill.api.hub import Hub
from retrofill.api.links import PREFIX
from retrofill.api.requests import AdmittedRoute
from retrofill.api.routes import metrics
from retrofill.api.traffic import Counted, Traffic
from retrofill.api.workers import Workers
from retrofill.bootstrap.deployment import Deployment


def make_app(deployment: Deployment) -> FastAPI:
    """Over a deployment, which whoever opened it closes after the server has stopped."""
    app = FastAPI(
        title="Retrofill",
        version=retrofill.__version__,
        openapi_url=None,  # of our own, see `openapi`
        docs_url=None,  # its page would load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.deployment = deployment
    app.state.hub = Hub(deployment.look)
    app.state.workers = Workers(deployment)
    app.state.traffic = Traffic()
    app.router.routes.extend(_operations())
    health.mount(app, deployment)
    openapi.mount(app)
    errors.handle_all(app)
    app.add_middleware(Guard, larger={PREFIX + path: most for path, most in routes.LARGER.items()})
    app.add_middleware(Counted, traffic=app.state.traffic)
    app.add_middleware(Heads)
    app.add_middleware(Entrance, deployment=deployment)  # beside the guard: it refuses in words of its own
    return app


@cache
def _operations() -> tuple[BaseRoute, ...]:
    """Made once for all applications of a process: it takes a tenth of a second, and none of them knows its deployment."""
    router = APIRouter()
    for module in routes.ALL:
        module.routes.mount(router, PREFIX, AdmittedRoute)
    metrics.routes.mount(router, "", AdmittedRoute)
    return tuple(router.routes)
