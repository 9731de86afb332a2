"""Django: middleware for WSGI and ASGI, an app config, and a system check.

    INSTALLED_APPS = [..., "clamp_analytics.integrations.django.ClampConfig"]
    MIDDLEWARE = ["clamp_analytics.integrations.django.ClampMiddleware", ...]
    CLAMP = {"PROJECT_ID": "proj_xxx", "API_KEY": "sk_proj_xxx"}

A bare `track("signup")` in a view is linked to the visitor, and what Django answers
with its page for errors is captured.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import Union, cast

from clamp_analytics.integrations._guard import guarded, needs
from clamp_analytics.integrations._settings import SETTINGS, from_settings, troubles
from clamp_analytics.integrations._start import failure_of_start
from clamp_analytics.integrations._visitor import ids_of
from clamp_analytics.integrations._web import (
    Visit,
    WebOptions,
    described,
    started,
    visit,
)

with needs("django"):
    from asgiref.sync import iscoroutinefunction, markcoroutinefunction
    from django.apps import AppConfig
    from django.conf import settings
    from django.core import checks
    from django.core.signals import got_request_exception
    from django.http import HttpRequest, HttpResponseBase
    from django.utils.module_loading import import_string

Answer = Union[HttpResponseBase, Awaitable[HttpResponseBase]]

MIDDLEWARE = f"{__name__}.ClampMiddleware"


class ClampMiddleware:
    """Links the events of a request to its visitor, and captures its errors.

    Put it first, so that the middleware after it is linked as well. Options are
    those of the other integrations, in `CLAMP`, in capital letters; functions there
    may be dotted names, and get Django's request.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Answer]) -> None:
        self._get_response = get_response
        self._options = configured()
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Answer:
        """Answer a request as the application does."""
        came = _visit(self._options, request)
        if self._is_async:
            return self._later(came, request)
        with came.context():
            response = cast(HttpResponseBase, self._get_response(request))
        self._answered(came, request, response)
        return response

    async def _later(self, came: Visit, request: HttpRequest) -> HttpResponseBase:
        with came.context():
            response = await cast(
                "Awaitable[HttpResponseBase]", self._get_response(request)
            )
        self._answered(came, request, response)
        return response

    def _answered(
        self, came: Visit, request: HttpRequest, response: HttpResponseBase
    ) -> None:
        came.answered(lambda: _described(request, response.status_code))


class ClampConfig(AppConfig):  # type: ignore[misc]  # Django has no types
    """Starts Clamp once in every process, commands and workers too."""

    name = __name__
    label = "clamp_analytics"
    verbose_name = "Clamp"

    def ready(self) -> None:
        """Start Clamp, and have `manage.py check` look at its settings."""
        configured()
        checks.register(check_settings)


# The application's functions, which settings may give as dotted names.
_FUNCTIONS = ("anonymous_id", "user_id", "before_send", "on_error")
# With which errors are captured: the signal that tells of them knows no middleware.
_configured = WebOptions()


def configured() -> WebOptions:
    """Start Clamp as the settings say; again only where they have changed."""
    global _configured
    options = from_settings(getattr(settings, "CLAMP", None))
    for name in _FUNCTIONS:
        if isinstance(options.get(name), str):
            dotted_name = options.pop(name)
            with guarded():
                options[name] = import_string(dotted_name)
    _configured = started(options)
    # Not `process_exception`, which also sees what becomes a page of its own, such
    # as Http404. The id keeps one receiver, however often this is called.
    got_request_exception.connect(_on_error, dispatch_uid=__name__)
    return _configured


def check_settings(**_: object) -> list[checks.CheckMessage]:
    """Say what is wrong with `CLAMP`.

    All of it as warnings: an error would keep `manage.py` from its work.
    """
    found: list[checks.CheckMessage] = [
        checks.Warning(
            trouble,
            hint=f"The options are {', '.join(sorted(SETTINGS))}.",
            id="clamp_analytics.W001",
        )
        for trouble in troubles(getattr(settings, "CLAMP", None))
    ]
    if (failure := failure_of_start()) is not None:
        found.append(
            checks.Warning(
                f"Clamp is switched off: {failure}",
                hint='In the settings: CLAMP = {"PROJECT_ID": "proj_...",'
                ' "API_KEY": "sk_proj_..."}; or {"ENABLED": False} where it is'
                " meant to be off.",
                id="clamp_analytics.W002",
            )
        )
    if MIDDLEWARE not in settings.MIDDLEWARE:
        found.append(
            checks.Warning(
                "Events of requests are not linked to their visitors.",
                hint=f"Put {MIDDLEWARE!r} first in MIDDLEWARE.",
                id="clamp_analytics.W003",
            )
        )
    return found


def _on_error(request: HttpRequest | None = None, **_: object) -> None:
    error = sys.exc_info()[1]
    # Django's own tests of its handlers send the signal without either.
    if request is not None and error is not None:
        came = _visit(_configured, request)
        came.failed(error, lambda: _described(request, 500))


def _visit(options: WebOptions, request: HttpRequest) -> Visit:
    # Not `request.COOKIES`: a view that wants none need not wait for all of them.
    return visit(options, lambda: request, *ids_of(request.META))


def _described(request: HttpRequest, status: int) -> dict[str, str | int]:
    match = request.resolver_match
    route = None if match is None else f"/{match.route}"
    endpoint = None if match is None else match.view_name
    return described(route, endpoint, request.method, status)
