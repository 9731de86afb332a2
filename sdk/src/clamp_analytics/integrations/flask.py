"""Flask: an extension.

    from clamp_analytics.integrations.flask import Clamp

    clamp = Clamp()

    def create_app() -> Flask:
        app = Flask(__name__)
        app.config["CLAMP"] = {"PROJECT_ID": "proj_xxx", "API_KEY": "sk_proj_xxx"}
        clamp.init_app(app)
        return app

A bare `track("signup")` in a view is linked to the visitor, and what no error
handler catches is captured.
"""

from __future__ import annotations

import clamp_analytics
from clamp_analytics.integrations._guard import guarded, needs
from clamp_analytics.integrations._settings import from_settings, troubles
from clamp_analytics.integrations._visitor import ids_of
from clamp_analytics.integrations._web import (
    ReadId,
    Visit,
    WebOptions,
    described,
    started,
    visit,
)

with needs("flask"):
    import flask
    from flask import got_request_exception, request_started

EXTENSION = "clamp_analytics"
_VISIT, _CONTEXT = "clamp_analytics.visit", "clamp_analytics.context"


class Clamp:
    """Links the events of a request to its visitor, and captures its errors.

    Options are given here or in `app.config["CLAMP"]`, there in capital letters and
    with all those of `init()`; what is given here wins.

    Args:
        app: None means that `init_app` is called later, once for each application.
        project_id: As in `clamp_analytics.init`, and so are `api_key` and `endpoint`.
            Delivery is in the background. Without any of them the client of an
            `init()` before is used, or the environment.
        client: Sends the events, in place of the client of `init()`.
        anonymous_id: Gets Flask's request and returns the visitor's id or None, in
            place of the cookie `clamp_aid` and the header `x-clamp-anonymous-id`.
        user_id: Gets the request and returns the user's id. None means that events
            carry none.
        capture_errors: Capture exceptions that the application does not handle.
        track_requests: Send an event named `request` for each request.
    """

    def __init__(
        self,
        app: flask.Flask | None = None,
        project_id: str | None = None,
        api_key: str | None = None,
        endpoint: str | None = None,
        *,
        client: clamp_analytics.Clamp | None = None,
        anonymous_id: ReadId | None = None,
        user_id: ReadId | None = None,
        capture_errors: bool | None = None,
        track_requests: bool | None = None,
    ) -> None:
        given = {
            "project_id": project_id,
            "api_key": api_key,
            "endpoint": endpoint,
            "client": client,
            "anonymous_id": anonymous_id,
            "user_id": user_id,
            "capture_errors": capture_errors,
            "track_requests": track_requests,
        }
        self._given = {key: value for key, value in given.items() if value is not None}
        if app is not None:
            self.init_app(app)

    def init_app(self, app: flask.Flask) -> None:
        """Set `app` up; a second time changes nothing."""
        if EXTENSION in app.extensions:
            return
        settings = app.config.get("CLAMP")
        for trouble in troubles(settings):
            guarded().warn("%s", trouble)
        options = {**from_settings(settings), **self._given}
        listener = _Listener(started(options))
        # The signals do not keep what they call alive: this does.
        app.extensions[EXTENSION] = listener
        # The signal comes before every `before_request` of the application.
        request_started.connect(listener.on_start, app)
        got_request_exception.connect(listener.on_error, app)
        if listener.options.track_requests:
            app.after_request(listener.on_answer)
        app.teardown_request(listener.on_end)


class _Listener:
    def __init__(self, options: WebOptions) -> None:
        self.options = options

    def on_start(self, _: flask.Flask, **__: object) -> None:
        opened = self._visit().context()
        opened.__enter__()
        flask.request.environ[_CONTEXT] = opened

    def on_error(self, _: flask.Flask, exception: BaseException, **__: object) -> None:
        self._visit().failed(exception, lambda: _described(500))

    def on_answer(self, response: flask.Response) -> flask.Response:
        self._visit().answered(lambda: _described(response.status_code))
        return response

    def on_end(self, _: BaseException | None) -> None:
        opened = flask.request.environ.pop(_CONTEXT, None)
        if opened is not None:
            opened.__exit__(None, None, None)

    def _visit(self) -> Visit:
        environ = flask.request.environ
        came = environ.get(_VISIT)
        if not isinstance(came, Visit):
            came = visit(self.options, lambda: flask.request, *ids_of(environ))
            environ[_VISIT] = came
        return came


def _described(status: int) -> dict[str, str | int]:
    request = flask.request
    route = request.url_rule.rule if request.url_rule else None
    return described(route, request.endpoint, request.method, status)
