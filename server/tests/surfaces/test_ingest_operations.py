"""What operators ask: is the server well, and what became of every event."""

from pathlib import Path

from tests.surfaces.ingest_server import Answer, IngestServer, ingest_server

RECEIVED, ACCEPTED, DUPLICATES = (
    f"clamp_events_{what}_total" for what in ("received", "accepted", "duplicates")
)


def test_a_server_that_takes_and_answers_is_well(server: IngestServer) -> None:
    assert server.request("GET", "/healthz") == Answer(200, {"status": "ok"})


def test_a_server_that_stopped_is_not_well(tmp_path: Path) -> None:
    with ingest_server(tmp_path) as server:
        server.post("/e/s", server.event())
        server.stop()
        answers = [
            server.request("GET", "/healthz"),
            server.post("/e/s", server.event()),
        ]

    assert [answer.status for answer in answers] == [503, 503]
    assert [answer.headers["retry-after"] for answer in answers] == ["5", "1"]
    assert answers[0].body == {
        "error": "store_unavailable",
        "message": "the server is starting or stopping",
    }


def test_a_server_whose_store_does_not_answer_is_not_well(tmp_path: Path) -> None:
    with ingest_server(tmp_path) as server:
        server.app.state.store.close()
        answer = server.request("GET", "/healthz")

    assert answer == Answer(
        503,
        {
            "error": "store_unavailable",
            "message": "the event store does not answer",
        },
    )


def test_received_is_accepted_and_duplicates_and_rejected(tmp_path: Path) -> None:
    with ingest_server(tmp_path) as server:
        good, dup, bad = {"name": "a"}, {"name": "a", "id": "1"}, {"name": ""}
        server.post("/e", server.event())
        server.post("/e", server.event(name=""))
        server.post("/e", {"p": "proj_nobody", "name": "a"})
        server.post("/e", b"{")
        server.post("/e/batch", server.batch(good, dup, dup, bad, 5))
        server.post("/e/s", server.event())
        server.post("/e/s", server.event(), key=None)
        server.post("/e/s", server.event(), key="foreign")
        server.post("/e/s", b"x" * 70_000)
        server.post("/e/s/batch", server.batch(dup, dup, bad))
        server.post("/e/s/batch", server.batch(bad, bad))
        stored = len(server.stored())
        numbers = server.metrics()

    counted = {name: n for name, n in numbers.items() if n and "commit" not in name}
    assert counted == {
        f'{RECEIVED}{{endpoint="/e"}}': 4.0,
        f'{RECEIVED}{{endpoint="/e/batch"}}': 5.0,
        f'{RECEIVED}{{endpoint="/e/s"}}': 4.0,
        f'{RECEIVED}{{endpoint="/e/s/batch"}}': 5.0,
        f'{ACCEPTED}{{endpoint="/e"}}': 1.0,
        f'{ACCEPTED}{{endpoint="/e/batch"}}': 2.0,
        f'{ACCEPTED}{{endpoint="/e/s"}}': 1.0,
        f'{DUPLICATES}{{endpoint="/e/batch"}}': 1.0,
        f'{DUPLICATES}{{endpoint="/e/s/batch"}}': 2.0,
        'clamp_events_rejected_total{reason="missing_field"}': 5.0,
        'clamp_events_rejected_total{reason="wrong_type"}': 1.0,
        'clamp_events_rejected_total{reason="unknown_project"}': 1.0,
        'clamp_events_rejected_total{reason="malformed_body"}': 1.0,
        'clamp_events_rejected_total{reason="unauthorized"}': 1.0,
        'clamp_events_rejected_total{reason="wrong_project"}': 1.0,
        'clamp_events_rejected_total{reason="body_too_large"}': 1.0,
    }
    received = sum(n for name, n in numbers.items() if name.startswith(RECEIVED))
    rest = sum(n for name, n in counted.items() if not name.startswith(RECEIVED))
    assert received == rest
    assert stored == 4
    assert numbers["clamp_commit_seconds_count"] == 4.0
    assert numbers["clamp_queued_events"] == 0.0


def test_metrics_are_prometheus_text(server: IngestServer) -> None:
    answer = server.request("GET", "/metrics")

    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "# TYPE clamp_commit_seconds histogram" in answer.body
    assert "sk_proj_" not in answer.body
