from __future__ import annotations

import json

import pytest

from clamp_analytics._batch import (
    Rejected,
    batch_body,
    rejected_events,
    single_body,
)
from clamp_analytics._exchange import Answer
from clamp_analytics._waiting import encode_waiting
from clamp_analytics._wire import Event, Money

AT = "2026-04-29T12:00:00Z"
FIRST = encode_waiting("0" * 32, Event("signup", AT, {"plan": 'p"ro'}, "aid_1"))
SECOND = encode_waiting("1" * 32, Event("caf\u00e9", AT, {"sum": Money(1, "EUR")}))


def test_a_batch_lists_the_events_as_they_waited() -> None:
    assert batch_body("proj_x", [FIRST, SECOND]) == (
        b'{"p":"proj_x","events":['
        b'{"id":"00000000000000000000000000000000","name":"signup",'
        b'"timestamp":"2026-04-29T12:00:00Z","anonymousId":"aid_1",'
        b'"properties":{"plan":"p\\"ro"}},'
        b'{"id":"11111111111111111111111111111111","name":"caf\xc3\xa9",'
        b'"timestamp":"2026-04-29T12:00:00Z",'
        b'"properties":{"sum":{"amount":1,"currency":"EUR"}}}]}'
    )


def test_a_single_request_is_the_same_event_with_its_id_beside_it() -> None:
    assert single_body("proj_x", FIRST) == (
        b'{"p":"proj_x","name":"signup","timestamp":"2026-04-29T12:00:00Z",'
        b'"anonymousId":"aid_1","properties":{"plan":"p\\"ro"}}',
        "0" * 32,
    )


@pytest.mark.parametrize("project_id", ['a"b', "\u00fc", "a\nb"], ids=ascii)
def test_a_project_of_any_letters_stays_json(project_id: str) -> None:
    single, _ = single_body(project_id, FIRST)

    assert json.loads(batch_body(project_id, [FIRST]))["p"] == project_id
    assert json.loads(single)["p"] == project_id


def test_rejected_rows_are_read_with_their_reasons() -> None:
    rows = [
        {"index": 1, "error": "missing_field", "message": "name: got nothing"},
        {"index": 0},
    ]
    answer = Answer(200, json.dumps({"ok": True, "accepted": 1, "rejected": rows}))

    assert rejected_events(answer, 3) == [
        Rejected(1, "name: got nothing"),
        Rejected(0, ""),
    ]


def test_an_event_that_is_listed_twice_is_lost_once() -> None:
    rows = [{"index": 0, "message": "first"}, {"index": 0, "message": "last"}]

    assert rejected_events(Answer(200, json.dumps({"rejected": rows})), 1) == [
        Rejected(0, "last")
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "OK",
        "<html>",
        "null",
        "[]",
        "3",
        '{"ok":true}',
        '{"rejected":null}',
        '{"rejected":{"index":0}}',
        '{"rejected":[0,null,"x",[]]}',
        '{"rejected":[{}]}',
        '{"rejected":[{"index":"0"},{"index":0.0},{"index":true},{"index":null}]}',
        '{"rejected":[{"index":-1},{"index":2},{"index":1e9}]}',
        "[" * 200_000,
    ],
    ids=lambda text: text[:30],
)
def test_an_answer_that_makes_no_sense_rejects_nothing(text: str) -> None:
    assert rejected_events(Answer(200, text), 2) == []
