from __future__ import annotations

import asyncio
from typing import Any

import django
import pytest
from asgiref.sync import iscoroutinefunction
from django.apps import apps
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.checks import run_checks
from django.core.signals import got_request_exception
from django.core.wsgi import get_wsgi_application
from django.http import Http404, HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import include, path, re_path
from tests.integrations.arrived import Arrived, arrived
from tests.integrations.web import asgi_server, wsgi_server
from tests.sink import Sink

import clamp_analytics
from clamp_analytics import track
from clamp_analytics.integrations.django import (
    MIDDLEWARE,
    ClampMiddleware,
    check_settings,
)

pytestmark = pytest.mark.usefixtures("new_process")


def signup(request: HttpRequest) -> HttpResponse:
    track("signup")
    return HttpResponse("welcome")


async def async_signup(request: HttpRequest) -> HttpResponse:
    track("signup")
    await asyncio.sleep(0)
    return HttpResponse("welcome")


def buy(request: HttpRequest, item_id: int) -> HttpResponse:
    raise ValueError("no stock")


async def async_buy(request: HttpRequest, item_id: int) -> HttpResponse:
    raise ValueError("no stock")


def missing(request: HttpRequest) -> HttpResponse:
    raise Http404


def sorry(request: HttpRequest) -> HttpResponse:
    return HttpResponse("sorry", status=500)


def reader(request: HttpRequest) -> str:
    return str(request.headers["x-visitor"])


shop = [
    path("signup", signup),
    path("async-signup", async_signup),
    path("buy/<int:item_id>", buy, name="buy"),
    path("async-buy/<int:item_id>", async_buy, name="buy"),
    re_path(r"^old/(?P<item_id>\d+)$", buy),
    path("missing", missing),
]
urlpatterns = [path("shop/", include((shop, "shop")))]
handler500 = sorry

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    INSTALLED_APPS=["clamp_analytics.integrations.django.ClampConfig"],
    MIDDLEWARE=[MIDDLEWARE],
    ROOT_URLCONF=__name__,
    SECRET_KEY="tests",
    LOGGING_CONFIG=None,
    CLAMP={"ENABLED": False},
    USE_TZ=True,
)
django.setup()


@pytest.fixture(params=["wsgi", "asgi"])
def serving(request: pytest.FixtureRequest, sink: Sink) -> Any:
    """Starts the project with more options, on either interface."""
    if request.param == "wsgi":
        return lambda: wsgi_server(get_wsgi_application())
    return lambda: asgi_server(get_asgi_application(), lifespan="off")


def options(sink: Sink, **more: Any) -> Any:
    given = {"PROJECT_ID": "proj_1", "API_KEY": "sk_1", "ENDPOINT": sink.endpoint}
    return override_settings(CLAMP={**given, **more})


def error(route: str, **more: str) -> Arrived:
    properties = {
        "error.message": "no stock",
        "error.type": "ValueError",
        "error.handled": False,
        "route": route,
        "method": "GET",
        "status": 500,
        **more,
    }
    return Arrived("$error", "aid_1", None, properties)


@pytest.mark.parametrize("path", ["/shop/signup", "/shop/async-signup"])
def test_an_event_of_a_view_is_the_visitors(
    serving: Any, sink: Sink, path: str
) -> None:
    with options(sink), serving() as browser:
        assert browser.get(path) == (200, "welcome")

    assert clamp_analytics.flush()
    assert arrived(sink) == [Arrived("signup", "aid_1", None, {})]


@pytest.mark.parametrize("name", ["buy", "async-buy"])
def test_an_error_is_captured_and_the_projects_page_answers(
    serving: Any, sink: Sink, name: str
) -> None:
    with options(sink), serving() as browser:
        assert browser.get(f"/shop/{name}/7") == (500, "sorry")

    assert clamp_analytics.flush()
    assert arrived(sink) == [error(f"/shop/{name}/<int:item_id>", endpoint="shop:buy")]


def test_a_signal_without_a_request_is_not_ours(serving: Any, sink: Sink) -> None:
    with options(sink), serving():
        got_request_exception.send(sender=None)

    assert clamp_analytics.flush()
    assert arrived(sink) == []


def test_a_page_that_is_missing_is_no_error(serving: Any, sink: Sink) -> None:
    with options(sink), serving() as browser:
        assert browser.get("/shop/missing")[0] == 404

    assert clamp_analytics.flush()
    assert arrived(sink) == []


def test_each_request_can_be_an_event(serving: Any, sink: Sink) -> None:
    chosen = options(sink, TRACK_REQUESTS=True, CAPTURE_ERRORS=False)
    with chosen, serving() as browser:
        browser.get("/shop/buy/7")
        browser.get("/secret/7?mail=a@b.example")

    assert clamp_analytics.flush()
    failed, missed = arrived(sink)
    assert isinstance(failed.properties.pop("duration_ms"), int)
    assert isinstance(missed.properties.pop("duration_ms"), int)
    assert failed == Arrived(
        "request",
        "aid_1",
        None,
        {
            "route": "/shop/buy/<int:item_id>",
            "endpoint": "shop:buy",
            "method": "GET",
            "status": 500,
        },
    )
    assert missed == Arrived("request", "aid_1", None, {"method": "GET", "status": 404})


def test_functions_may_be_dotted_names(serving: Any, sink: Sink) -> None:
    chosen = options(sink, ANONYMOUS_ID=f"{__name__}.reader", USER_ID=lambda _: 42)
    with chosen, serving() as browser:
        browser.ask("GET", "/shop/signup", x_visitor="v_1")

    assert clamp_analytics.flush()
    assert arrived(sink) == [Arrived("signup", "v_1", "42", {})]


def test_a_dotted_name_that_leads_nowhere_costs_the_option_only(
    serving: Any, sink: Sink, caplog: pytest.LogCaptureFixture
) -> None:
    with options(sink, ANONYMOUS_ID="no.where"), serving() as browser:
        assert browser.get("/shop/signup") == (200, "welcome")

    assert clamp_analytics.flush()
    assert arrived(sink) == [Arrived("signup", "aid_1", None, {})]
    assert [r.message for r in caplog.records if r.name == "clamp_analytics"] == [
        "ModuleNotFoundError: No module named 'no'"
    ]


def test_a_project_without_a_key_answers_as_ever(serving: Any) -> None:
    with override_settings(CLAMP=None), serving() as browser:
        assert browser.get("/shop/signup") == (200, "welcome")
        assert browser.get("/shop/buy/7") == (500, "sorry")


def test_the_middleware_is_of_the_kind_that_it_is_put_before() -> None:

    kinds = [
        iscoroutinefunction(ClampMiddleware(view)) for view in (signup, async_signup)
    ]

    assert kinds == [False, True]


def test_the_app_config_starts_clamp_in_a_command(sink: Sink) -> None:
    with options(sink):
        apps.get_app_config("clamp_analytics").ready()
        track("imported")

    assert clamp_analytics.flush()
    assert arrived(sink) == [Arrived("imported", None, None, {})]


def test_the_check_is_content() -> None:
    apps.get_app_config("clamp_analytics").ready()

    assert [m for m in run_checks() if str(m.id).startswith("clamp")] == []


def test_the_check_says_what_is_wrong() -> None:
    with override_settings(CLAMP={"PROYECT_ID": "p"}, MIDDLEWARE=[]):
        apps.get_app_config("clamp_analytics").ready()
        found = check_settings()

    assert [(message.id, message.msg) for message in found] == [
        (
            "clamp_analytics.W001",
            "CLAMP has no option 'PROYECT_ID'; did you mean 'PROJECT_ID'?",
        ),
        (
            "clamp_analytics.W002",
            "Clamp is switched off: missing project_id and api_key: pass it, or set"
            " CLAMP_PROJECT_ID and CLAMP_API_KEY in the environment",
        ),
        (
            "clamp_analytics.W003",
            "Events of requests are not linked to their visitors.",
        ),
    ]
    assert all(message.hint for message in found)
