from __future__ import annotations

from typing import Any

import flask
import pytest
from flask import Blueprint, Flask
from tests.integrations.arrived import Arrived, arrived
from tests.integrations.web import wsgi_server
from tests.sink import Sink

import clamp_analytics
from clamp_analytics import context, track
from clamp_analytics._context import current
from clamp_analytics.integrations.flask import Clamp

pytestmark = pytest.mark.usefixtures("new_process")

blog = Blueprint("blog", __name__, url_prefix="/blog")


@blog.get("/signup")
def signup() -> str:
    track("signup")
    return "welcome"


@blog.get("/posts/<int:post_id>")
def show(post_id: int) -> str:
    raise ValueError("no such post")


def settings(sink: Sink, **more: Any) -> dict[str, Any]:
    return {
        "PROJECT_ID": "proj_1",
        "API_KEY": "sk_1",
        "ENDPOINT": sink.endpoint,
        **more,
    }


def application(sink: Sink, **more: Any) -> Flask:
    """What a factory makes of an extension that was made before it."""
    app = Flask(__name__)
    app.config["CLAMP"] = settings(sink, **more)
    Clamp().init_app(app)
    app.register_blueprint(blog)
    return app


def ask(app: Flask, path: str) -> tuple[int, str]:
    """What a visitor gets."""
    # Its client keeps cookies of its own, and writes over this one.
    answer = app.test_client().get(path, headers={"x-clamp-anonymous-id": "aid_1"})
    return answer.status_code, answer.text


ERROR = Arrived(
    "$error",
    "aid_1",
    None,
    {
        "error.message": "no such post",
        "error.type": "ValueError",
        "error.handled": False,
        "route": "/blog/posts/<int:post_id>",
        "endpoint": "blog.show",
        "method": "GET",
        "status": 500,
    },
)


def test_an_event_of_a_view_is_the_visitors(sink: Sink) -> None:
    with wsgi_server(application(sink)) as browser:
        assert browser.get("/blog/signup") == (200, "welcome")

    assert clamp_analytics.flush()
    assert arrived(sink) == [Arrived("signup", "aid_1", None, {})]


def test_an_error_is_captured_and_the_applications_page_answers(sink: Sink) -> None:
    app = application(sink)
    app.register_error_handler(500, lambda error: ("sorry", 500))
    with wsgi_server(app) as browser:
        assert browser.get("/blog/posts/7") == (500, "sorry")

    assert clamp_analytics.flush()
    assert arrived(sink) == [ERROR]


def test_an_error_that_has_a_handler_is_not_captured(sink: Sink) -> None:
    app = application(sink)
    app.register_error_handler(ValueError, lambda error: ("gone", 410))

    assert ask(app, "/blog/posts/7") == (410, "gone")
    assert ask(app, "/nowhere")[0] == 404
    assert clamp_analytics.flush()
    assert arrived(sink) == []


def test_an_error_goes_on_to_a_test_of_the_application(sink: Sink) -> None:
    app = application(sink)
    app.testing = True

    with pytest.raises(ValueError, match="no such post"):
        ask(app, "/blog/posts/7")
    assert clamp_analytics.flush()
    assert arrived(sink) == [ERROR]


def test_each_request_can_be_an_event(sink: Sink) -> None:
    app = application(sink, TRACK_REQUESTS=True, CAPTURE_ERRORS=False)
    for path in ("/blog/posts/7", "/secret/7?mail=a@b.example"):
        ask(app, path)

    assert clamp_analytics.flush()
    failed, missed = arrived(sink)
    assert isinstance(failed.properties.pop("duration_ms"), int)
    assert isinstance(missed.properties.pop("duration_ms"), int)
    known = {key: ERROR.properties[key] for key in ("route", "endpoint", "method")}
    assert failed == Arrived("request", "aid_1", None, {**known, "status": 500})
    assert missed == Arrived("request", "aid_1", None, {"method": "GET", "status": 404})


def test_what_comes_before_every_request_is_linked_too(sink: Sink) -> None:
    app = Flask(__name__)

    @app.before_request
    def before() -> str:
        track("seen")
        return "enough"

    Clamp(app, "proj_1", "sk_1", sink.endpoint)

    assert ask(app, "/") == (200, "enough")
    assert clamp_analytics.flush()
    assert arrived(sink) == [Arrived("seen", "aid_1", None, {})]


def test_the_applications_own_functions_get_the_request(sink: Sink) -> None:
    app = application(
        sink,
        ANONYMOUS_ID=lambda request: request.headers["x-visitor"],
        USER_ID=lambda request: 42,
    )
    app.test_client().get("/blog/signup", headers={"x-visitor": "v_1"})

    assert clamp_analytics.flush()
    assert arrived(sink) == [Arrived("signup", "v_1", "42", {})]


def test_what_is_given_wins_over_the_settings(sink: Sink) -> None:
    app = Flask(__name__)
    app.config["CLAMP"] = settings(sink, PROJECT_ID="proj_2")
    Clamp(app, "proj_1")
    with app.test_request_context():
        track("seen")

    assert clamp_analytics.flush()
    assert sink.bodies[0]["p"] == "proj_1"


def test_two_applications_of_one_factory_each_count_once(sink: Sink) -> None:
    clamp = Clamp(track_requests=True)
    apps = []
    for name in ("a", "b"):
        app = Flask(name)
        app.config["CLAMP"] = settings(sink)
        clamp.init_app(app)
        clamp.init_app(app)
        apps.append(app)
    for app in apps:
        ask(app, "/")

    assert clamp_analytics.flush()
    assert [event.name for event in arrived(sink)] == ["request", "request"]


def test_a_client_that_is_given_sends(sink: Sink) -> None:
    with clamp_analytics.Clamp("proj_2", "sk_2", sink.endpoint) as client:
        app = Flask(__name__)
        Clamp(app, client=client)
        app.register_blueprint(blog)
        ask(app, "/blog/posts/7")

    assert [body["p"] for body in sink.bodies] == ["proj_2"]


def test_after_a_request_the_thread_has_no_visitor(sink: Sink) -> None:
    app = application(sink)
    with context(user_id="test"):
        ask(app, "/blog/signup")
        ask(app, "/blog/posts/7")

        assert (current().anonymous_id, current().user_id) == (None, "test")


def test_an_error_before_the_request_started_is_captured_too(sink: Sink) -> None:
    class NoSessions(flask.sessions.SecureCookieSessionInterface):
        def open_session(self, *_: object) -> None:
            raise ValueError("no such post")

    app = application(sink)
    app.session_interface = NoSessions()

    assert ask(app, "/blog/signup")[0] == 500
    assert clamp_analytics.flush()
    assert [(event.name, event.anonymous_id) for event in arrived(sink)] == [
        ("$error", "aid_1")
    ]


def test_a_request_that_never_started_ends_in_peace(sink: Sink) -> None:
    app = application(sink)
    with app.test_request_context("/blog/signup"):
        assert flask.request.endpoint == "blog.signup"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "Clamp is switched off: missing project_id and api_key"),
        (["PROJECT_ID"], "CLAMP must be a dict, not list"),
        ({"PROYECT_ID": 1}, "CLAMP has no option 'PROYECT_ID'; did you mean 'PROJECT"),
        ({"ZZZ": 1}, "CLAMP has no option 'ZZZ'"),
    ],
)
def test_wrong_settings_are_one_warning_and_an_off_switch(
    caplog: pytest.LogCaptureFixture, given: object, message: str
) -> None:
    app = Flask(__name__)
    app.config["CLAMP"] = given
    Clamp(app)
    app.register_blueprint(blog)

    assert ask(app, "/blog/signup") == (200, "welcome")
    (line,) = caplog.messages
    assert line.startswith(message)
