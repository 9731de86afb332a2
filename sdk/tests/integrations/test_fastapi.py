from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import PlainTextResponse, StreamingResponse
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from tests.integrations.arrived import Arrived, arrived
from tests.integrations.web import asgi_server
from tests.sink import Sink

import clamp_analytics
from clamp_analytics import Clamp, track
from clamp_analytics.integrations.fastapi import (
    ClampMiddleware,
    RequestClamp,
    VisitorId,
    clamp_lifespan,
)

pytestmark = pytest.mark.usefixtures("new_process")

router = APIRouter(prefix="/shop")


@router.get("/signup")
def signup() -> str:
    track("signup")
    return "welcome"


@router.get("/async-signup")
async def async_signup() -> str:
    track("signup")
    return "welcome"


@router.get("/buy/{item_id}")
def buy(item_id: int) -> str:
    raise ValueError("no stock")


@router.get("/mine")
def mine(clamp: RequestClamp, visitor_id: VisitorId) -> str:
    clamp.track("mine")
    return str(visitor_id)


@router.get("/stream")
def stream() -> StreamingResponse:
    def parts() -> Iterator[str]:
        track("streamed")
        yield from "abc"

    return StreamingResponse(parts())


def application(sink: Sink, **options: Any) -> FastAPI:
    app = FastAPI(lifespan=clamp_lifespan)
    app.include_router(router, prefix="/v1")
    app.add_middleware(
        ClampMiddleware,
        project_id="proj_1",
        api_key="sk_1",
        endpoint=sink.endpoint,
        **options,
    )
    return app


def error(**request: object) -> Arrived:
    properties = {
        "error.message": "no stock",
        "error.type": "ValueError",
        "error.handled": False,
        **request,
    }
    return Arrived("$error", "aid_1", None, properties)


@pytest.mark.parametrize("path", ["/v1/shop/signup", "/v1/shop/async-signup"])
def test_an_event_of_an_endpoint_is_the_visitors(sink: Sink, path: str) -> None:
    with asgi_server(application(sink)) as browser:
        assert browser.get(path) == (200, '"welcome"')

    # The lifespan has flushed.
    assert arrived(sink) == [Arrived("signup", "aid_1", None, {})]


def test_an_error_is_captured_and_the_applications_handler_answers(
    sink: Sink,
) -> None:
    app = application(sink)

    @app.exception_handler(Exception)
    def sorry(request: Request, error: Exception) -> PlainTextResponse:
        return PlainTextResponse(f"sorry: {error}", 500)

    with asgi_server(app) as browser:
        assert browser.get("/v1/shop/buy/7") == (500, "sorry: no stock")

    assert arrived(sink) == [
        error(route="/v1/shop/buy/{item_id}", endpoint="buy", method="GET", status=500)
    ]


def test_an_error_that_has_a_handler_is_not_captured(sink: Sink) -> None:
    app = application(sink)

    @app.exception_handler(ValueError)
    def sorry(request: Request, error: Exception) -> PlainTextResponse:
        return PlainTextResponse("sold out", 409)

    with asgi_server(app) as browser:
        assert browser.get("/v1/shop/buy/7") == (409, "sold out")

    assert arrived(sink) == []


def test_the_dependencies_hand_out_the_client_and_the_visitor(sink: Sink) -> None:
    with asgi_server(application(sink)) as browser:
        assert browser.get("/v1/shop/mine") == (200, '"aid_1"')

    assert arrived(sink) == [Arrived("mine", "aid_1", None, {})]


def test_the_client_that_is_handed_out_is_the_one_that_was_given(sink: Sink) -> None:
    with Clamp("proj_2", "sk_2", sink.endpoint) as client:
        app = application(sink, client=client)
        with asgi_server(app, lifespan="off") as browser:
            browser.get("/v1/shop/mine")

    assert [body["p"] for body in sink.bodies] == ["proj_2"]


def test_the_dependencies_do_without_the_middleware(sink: Sink) -> None:
    clamp_analytics.init("proj_1", "sk_1", sink.endpoint)
    app = FastAPI()
    app.include_router(router)
    with asgi_server(app) as browser:
        assert browser.get("/shop/mine") == (200, '"None"')

    assert arrived(sink) == [Arrived("mine", None, None, {})]


def test_an_event_of_a_stream_is_the_visitors(sink: Sink) -> None:
    with asgi_server(application(sink)) as browser:
        assert browser.get("/v1/shop/stream") == (200, "abc")

    assert arrived(sink) == [Arrived("streamed", "aid_1", None, {})]


def test_the_applications_own_function_gets_a_connection(sink: Sink) -> None:
    app = application(sink, anonymous_id=lambda connection: connection.url.path)
    with asgi_server(app) as browser:
        browser.get("/v1/shop/signup")

    assert arrived(sink) == [Arrived("signup", "/v1/shop/signup", None, {})]


def test_a_request_that_no_route_takes_is_an_event_without_its_path(
    sink: Sink,
) -> None:
    with asgi_server(application(sink, track_requests=True)) as browser:
        assert browser.get("/secret/7?mail=a@b.example")[0] == 404

    (request,) = arrived(sink)
    assert isinstance(request.properties.pop("duration_ms"), int)
    assert request == Arrived(
        "request", "aid_1", None, {"method": "GET", "status": 404}
    )


def test_a_mounted_application_has_the_whole_template(sink: Sink) -> None:
    app = application(sink)
    shop = FastAPI()
    shop.include_router(router)
    app.mount("/eu", shop)
    with asgi_server(app) as browser:
        assert browser.get("/eu/shop/buy/7")[0] == 500

    assert [event.properties["route"] for event in arrived(sink)] == [
        "/eu/shop/buy/{item_id}"
    ]


def test_starlette_alone_is_served_too(sink: Sink) -> None:
    async def fail(request: Request) -> PlainTextResponse:
        raise ValueError("no stock")

    app = Starlette(
        routes=[Mount("/of/{shop}", routes=[Route("/buy/{item}", fail)])],
        lifespan=clamp_lifespan,
    )
    app.add_middleware(
        ClampMiddleware, project_id="p", api_key="k", endpoint=sink.endpoint
    )
    with asgi_server(app) as browser:
        assert browser.get("/of/ada/buy/7") == (500, "Internal Server Error")

    (event,) = arrived(sink)
    # Starlette says which route it took since 0.5x only; never the path.
    assert event.properties.pop("route", ROUTE) == ROUTE
    assert event == error(endpoint="fail", method="GET", status=500)


ROUTE = "/of/{shop}/buy/{item}"


def test_a_lifespan_around_ours_goes_on(sink: Sink) -> None:
    seen: list[str] = []

    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with clamp_lifespan(app):
            seen.append("up")
            yield
        seen.append("down")

    with asgi_server(FastAPI(lifespan=asynccontextmanager(lifespan))):
        assert seen == ["up"]

    assert seen == ["up", "down"]


def test_an_application_without_a_key_starts_answers_and_ends(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = FastAPI(lifespan=clamp_lifespan)
    app.include_router(router)
    app.add_middleware(ClampMiddleware)
    with asgi_server(app) as browser:
        assert browser.get("/shop/signup") == (200, '"welcome"')

    assert [r.message[:21] for r in caplog.records if r.name == "clamp_analytics"] == [
        "Clamp is switched off"
    ]
