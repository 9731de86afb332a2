"""FastAPI: middleware, dependencies, and a flush at the end.

from clamp_analytics.integrations.fastapi import (
    ClampMiddleware, RequestClamp, VisitorId, clamp_lifespan,
)

app = FastAPI(lifespan=clamp_lifespan)
app.add_middleware(ClampMiddleware, project_id="proj_xxx", api_key="sk_proj_xxx")

@app.post("/signup")
def signup(clamp: RequestClamp, visitor_id: VisitorId) -> None:
    clamp.track("signup")
"""

from __future__ import annotations

from typing import Annotated, Optional

from clamp_analytics import Clamp
from clamp_analytics.integrations import asgi
from clamp_analytics.integrations._guard import needs, sender
from clamp_analytics.integrations._web import Visit
from clamp_analytics.integrations.asgi import clamp_lifespan as clamp_lifespan

with needs("fastapi"):
    from fastapi import Depends
    from starlette.requests import HTTPConnection


class ClampMiddleware(asgi.ClampMiddleware):
    """That of `asgi`; `anonymous_id` and `user_id` get an `HTTPConnection`."""

    def _request(self, scope: asgi.Scope) -> object:
        return HTTPConnection(scope)


def visit_of(connection: HTTPConnection) -> Visit | None:
    """Whose request this is; None without the middleware."""
    found = connection.scope.get(asgi.VISIT)
    return found if isinstance(found, Visit) else None


def request_clamp(connection: HTTPConnection) -> Clamp:
    """What sends the events of a request, linked to its visitor."""
    visit = visit_of(connection)
    return sender(visit.options.client if visit else None)


def visitor_id(connection: HTTPConnection) -> str | None:
    """The visitor's anonymous id, to hand on, to a payment provider say."""
    visit = visit_of(connection)
    return visit.anonymous_id if visit else None


RequestClamp = Annotated[Clamp, Depends(request_clamp)]
VisitorId = Annotated[Optional[str], Depends(visitor_id)]
