"""What pages may send and read, and what is kept of them."""

from ipaddress import ip_network
from pathlib import Path

from tests.surfaces.ingest_server import (
    OK,
    ORIGIN,
    IngestServer,
    ingest_server,
    refusal,
)

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36"
    " (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
)


def test_older_browser_scripts_send_names_without_a_dollar(
    server: IngestServer,
) -> None:
    assert server.post("/e", server.event(name="pageview")) == OK
    assert server.post("/e/s", server.event(name="pageview")) == OK
    assert server.stored("name, sent_by") == [
        {"name": "$pageview", "sent_by": "browser"},
        {"name": "pageview", "sent_by": "server"},
    ]


def test_a_preflight_is_answered_for_every_origin(server: IngestServer) -> None:
    asked = {
        **ORIGIN,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
    }

    for path in ("/e", "/e/batch"):
        answer = server.request("OPTIONS", path, headers=asked)
        told = {
            name: value
            for name, value in answer.headers.items()
            if name.startswith("access-control-")
        }
        assert (answer.status, told) == (
            204,
            {
                "access-control-allow-origin": "https://shop.example",
                "access-control-allow-credentials": "true",
                "access-control-expose-headers": "retry-after",
                "access-control-allow-methods": "POST",
                "access-control-allow-headers": "content-type",
                "access-control-max-age": "86400",
            },
        )
    assert server.request("OPTIONS", "/e/s", headers=asked).status == 405


def test_a_page_may_read_every_answer(server: IngestServer) -> None:
    answers = [
        server.post("/e", server.event(), ORIGIN),
        server.post("/e/batch", server.batch({"name": "a"}), ORIGIN),
        server.post("/e", b"{", ORIGIN),
        server.post("/e", b"x" * 70_000, ORIGIN),
        server.post("/e", {"p": "proj_nobody"}, ORIGIN),
    ]

    assert [answer.status for answer in answers] == [200, 200, 400, 413, 400]
    assert {
        (
            answer.headers["access-control-allow-origin"],
            answer.headers["access-control-allow-credentials"],
            answer.headers["vary"],
        )
        for answer in answers
    } == {("https://shop.example", "true", "origin")}


def test_a_project_may_list_its_origins(server: IngestServer) -> None:
    listed = server.catalog.create_project(
        "Listed", allowed_origins=("https://shop.example",)
    )
    body = {"p": listed.id, "name": "a"}
    other = {"origin": "https://evil.example"}

    assert server.post("/e", body, ORIGIN) == OK
    refused = server.post("/e", body, other)
    assert refused == refusal(
        403,
        "origin_not_allowed",
        'origin: got "https://evil.example"; this project takes events from the origins'
        " on its list only",
    )
    assert refused.headers["access-control-allow-origin"] == "https://evil.example"
    assert server.post("/e", body).status == 403
    assert len(server.stored()) == 1


def test_what_a_browser_says_of_itself_is_kept(server: IngestServer) -> None:
    body = server.event(
        name="$pageview",
        url="https://shop.example/a?utm_source=news",
        referrer="https://www.google.com/",
        sessionId="s1",
        screenWidth=1920,
        language="en-GB",
    )
    sent = {"user-agent": CHROME + "x" * 5000, "x-forwarded-for": "8.8.8.8"}

    assert server.post("/e", body, sent, client="80.80.80.80") == OK
    assert server.stored(
        "pathname, utm_source, channel, browser, os, country, screen_width, session_id"
    ) == [
        {
            "pathname": "/a",
            "utm_source": "news",
            "channel": "organic_search",
            "browser": "Chrome",
            "os": "Windows",
            # Of the connection: nobody is trusted to name another address.
            "country": "NL",
            "screen_width": 1920,
            "session_id": "s1",
        }
    ]


def test_a_trusted_proxy_names_the_client(tmp_path: Path) -> None:
    proxies = (ip_network("10.0.0.0/8"),)
    with ingest_server(tmp_path, trusted_proxies=proxies) as server:
        sent = {"x-forwarded-for": "8.8.8.8, 80.80.80.80, 10.0.0.2"}
        server.post("/e", server.event(), sent, client="10.0.0.1")
        server.post("/e", server.event(), sent, client="203.0.113.7")

        assert [row["country"] for row in server.stored("country")] == ["NL", ""]
