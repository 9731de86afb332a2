from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.recorder import Recorder

from clamp_analytics import BackgroundDelivery, ClampError, Event, Stats, context
from clamp_analytics._config import Config
from clamp_analytics._intake import Intake, Options, Taken, Unsent
from clamp_analytics._outbox import Outbox

# One that sends now, one that delivers in the background, one that is switched off.
MODES: list[dict[str, Any]] = [{}, {"background": True}, {"enabled": False}]
GIVEN = ("proj_x", "sk_proj_secret", None, 5.0)
NOTHING_GIVEN = (None, None, None, 5.0)
AT = "2026-04-29T12:00:00Z"
BODY = b'{"p":"proj_x","name":"signup","timestamp":"2026-04-29T12:00:00Z"}'
AT_ONCE = BackgroundDelivery(linger_s=0)


class Opened:
    """Makes intakes, and counts the transports that they ask for."""

    def __init__(self) -> None:
        self.transports: list[Recorder] = []
        self.intakes: list[Intake] = []

    def __call__(
        self,
        given: Any = GIVEN,
        environ: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Intake:
        self.intakes.append(
            Intake(given, Options(**options), environ or {}, self._transport)
        )
        return self.intakes[-1]

    def _transport(self, config: Config) -> Recorder:
        self.transports.append(Recorder())
        return self.transports[-1]


@pytest.fixture
def opened() -> Iterator[Opened]:
    opener = Opened()
    yield opener
    for intake in opener.intakes:
        if intake.delivery is not None:
            intake.delivery.close(0)


def track(intake: Intake, properties: Any = None, event_id: str | None = None) -> Taken:
    return intake.track("signup", properties, None, AT, None, event_id)


def capture(intake: Intake) -> Taken:
    return intake.capture_error(ValueError("x"), None, None, AT, None, handled=True)


@pytest.mark.parametrize(
    ("background", "outbox", "how"),
    [
        (False, None, None),
        (True, None, BackgroundDelivery()),
        (AT_ONCE, None, AT_ONCE),
        (False, "here", BackgroundDelivery(outbox="here")),
        (True, "here", BackgroundDelivery(outbox="here")),
        (AT_ONCE, "here", BackgroundDelivery(linger_s=0, outbox="here")),
        (BackgroundDelivery(outbox="there"), None, BackgroundDelivery(outbox="there")),
        (BackgroundDelivery(outbox="there"), "here", BackgroundDelivery(outbox="here")),
    ],
)
def test_background_and_outbox_say_how_to_deliver(
    background: Any, outbox: str | None, how: BackgroundDelivery | None
) -> None:
    assert Options(background=background, outbox=outbox).delivery() == how


@pytest.mark.parametrize("wrong", [None, 1, "yes", {}], ids=repr)
def test_another_background_is_refused(opened: Opened, wrong: Any) -> None:
    kind = type(wrong).__name__

    with pytest.raises(ValueError, match="background must be True") as caught:
        opened(background=wrong)

    assert str(caught.value) == (
        f"background must be True, False or a BackgroundDelivery, not {kind}"
    )


def test_what_is_to_be_sent_now_comes_back_as_a_request(opened: Opened) -> None:
    intake = opened()
    error = capture(intake)

    assert (track(intake), opened.transports) == (Unsent("/e/s", BODY), [])
    assert isinstance(error, Unsent)
    assert json.loads(error.body)["name"] == "$error"
    assert intake.config == Config(*GIVEN[:2], "https://api.clamp.sh", 5.0)


def test_background_delivery_takes_both_kinds_and_says_true(opened: Opened) -> None:
    intake = opened(background=True)
    taken = [track(intake), capture(intake)]
    assert intake.delivery is not None
    intake.delivery.flush(30)

    assert taken == [True, True]
    ((post,),) = [transport.posts for transport in opened.transports]
    assert post.names == ["signup", "$error"]
    assert intake.stats() == Stats(2, 0, {})


def test_each_event_of_background_delivery_has_an_id(opened: Opened) -> None:
    intake = opened(background=True)
    for _ in range(3):
        track(intake)
    assert intake.delivery is not None
    intake.delivery.flush(30)

    ids = {event["id"] for event in opened.transports[0].posts[0].body["events"]}
    assert len(ids) == 3
    assert [one for one in ids if not re.fullmatch("[0-9a-f]{32}", one)] == []


def same(event: Event) -> Event:
    return event


def test_a_hook_that_changes_nothing_changes_nothing_that_is_sent(
    opened: Opened,
) -> None:
    unchanged: list[dict[str, Any]] = [{}, {"before_send": same}, {"debug": True}]
    for options in unchanged:
        intake = opened(
            background=True,
            default_properties={"app": "shop", "plan": "free"},
            **options,
        )
        with context("aid_1", "u_1", {"plan": "pro", "seats": 1}):
            taken = intake.track("signup", {"seats": 2}, None, None, None, None)
        assert taken is True
        assert intake.delivery is not None
        assert intake.delivery.flush(30)

    sent = [each.posts[0].body["events"][0] for each in opened.transports]
    varying = [(event.pop("id"), event.pop("timestamp")) for event in sent]
    assert len(set(varying)) == 3
    assert sent == 3 * [
        {
            "name": "signup",
            "anonymousId": "aid_1",
            "userId": "u_1",
            "properties": {"app": "shop", "plan": "pro", "seats": 2},
        }
    ]


def test_a_change_of_the_callers_dict_comes_too_late_in_every_mode(
    opened: Opened,
) -> None:
    unchanged: list[dict[str, Any]] = [{}, {"before_send": same}]
    for options in unchanged:
        intake = opened(background=BackgroundDelivery(linger_s=3600), **options)
        properties = {"plan": "pro"}
        intake.track("signup", properties, None, None, None, None)
        properties["plan"] = "free"
        assert intake.delivery is not None
        assert intake.delivery.flush(30)

    sent = [each.posts[0].body["events"][0] for each in opened.transports]
    assert [event["properties"] for event in sent] == 2 * [{"plan": "pro"}]


def test_a_wrong_argument_is_found_in_the_caller_in_every_mode(opened: Opened) -> None:
    for options in MODES:
        intake = opened(**options)
        wrong: Any = {"items": [1]}
        for at in (AT, None):
            with pytest.raises(ValueError, match="unsupported type list"):
                intake.track("signup", wrong, None, at, None, None)
        assert intake.stats() == Stats(0, 0, {})


def test_an_id_that_cannot_be_sent_is_found_in_the_caller_in_every_mode(
    opened: Opened,
) -> None:
    for options in MODES:
        with pytest.raises(ValueError, match="event_id must be 1 to 64"):
            track(opened(**options), event_id="evt 1")


@pytest.mark.parametrize(
    ("options", "environ"),
    [
        ({"enabled": False}, {}),
        ({}, {"CLAMP_DISABLED": "1"}),
        ({"enabled": True}, {"CLAMP_DISABLED": " Yes "}),
        ({"enabled": False}, {"CLAMP_DISABLED": "0"}),
    ],
    ids=str,
)
def test_switched_off_nothing_is_needed_and_nothing_is_made(
    opened: Opened, tmp_path: Path, options: Any, environ: dict[str, str]
) -> None:
    outbox = tmp_path / "outbox"
    intake = opened(
        NOTHING_GIVEN, environ, background=True, outbox=outbox, debug=False, **options
    )

    assert [track(intake), capture(intake)] == [False, False]
    assert (opened.transports, intake.delivery, intake.config) == ([], None, None)
    assert not outbox.exists()
    assert intake.stats() == Stats(0, 0, {})


@pytest.mark.parametrize("value", ["", "0", "false", "No", " OFF "])
def test_a_variable_that_says_no_switches_nothing_off(
    opened: Opened, value: str
) -> None:
    taken = track(opened(environ={"CLAMP_DISABLED": value}))

    assert taken == Unsent("/e/s", BODY)


def test_what_before_send_drops_is_counted_and_no_loss(opened: Opened) -> None:
    for options in MODES:
        intake = opened(before_send=lambda event: None, **options)

        assert [track(intake), capture(intake)] == [False, False]
        assert intake.stats() == Stats(0, 0, {"before_send": 2})
        assert intake.delivery is None or intake.delivery.flush(30)


def test_what_before_send_changes_is_checked_after_it(opened: Opened) -> None:
    def spoil(event: Event) -> Event:
        event.properties["when"] = None  # type: ignore[assignment]  # the case
        return event

    with pytest.raises(ValueError, match="property 'when' has the unsupported type"):
        track(opened(background=True, before_send=spoil))


def test_a_closed_one_takes_nothing(opened: Opened) -> None:
    for options in MODES:
        intake = opened(**options)
        intake.is_closed = True

        with pytest.raises(ClampError, match="this Clamp was closed"):
            track(intake)
        with pytest.raises(ClampError, match="this Clamp was closed"):
            capture(intake)


def logged(caplog: pytest.LogCaptureFixture) -> list[tuple[str, int, str]]:
    return [
        (name, level, re.sub("[0-9a-f]{32}", "ID", message))
        for name, level, message in caplog.record_tuples
    ]


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({}, f"event: {BODY.decode()}"),
        (
            {"background": True},
            'event: {"id":"ID","name":"signup","timestamp":"2026-04-29T12:00:00Z"}',
        ),
        (
            {"enabled": False},
            'event, not sent: Clamp is switched off: {"p":"","name":"signup",'
            '"timestamp":"2026-04-29T12:00:00Z"}',
        ),
    ],
    ids=["now", "background", "off"],
)
def test_debug_logs_each_event_and_never_the_key(
    opened: Opened, caplog: pytest.LogCaptureFixture, options: Any, line: str
) -> None:
    caplog.set_level(logging.DEBUG)
    track(opened(debug=True, **options))

    ours = [entry for entry in logged(caplog) if entry[0] == "clamp_analytics"]
    assert ours == [("clamp_analytics", logging.INFO, line)]
    assert "secret" not in caplog.text


def test_without_debug_nothing_is_logged(
    opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    track(opened())

    assert logged(caplog) == []


def test_debug_does_not_log_what_before_send_dropped(
    opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    track(opened(debug=True, before_send=lambda event: None))

    assert logged(caplog) == []


def test_the_queue_is_as_large_as_was_asked_for(opened: Opened) -> None:
    told: list[str] = []
    intake = opened(
        background=BackgroundDelivery(max_events=1, linger_s=3600),
        on_error=lambda error, events: told.append(events[0].name),
    )
    taken = [track(intake), track(intake)]
    taken.append(intake.track("of now", None, None, None, None, None))

    assert (taken, told) == ([True, False, False], ["signup", "of now"])
    assert intake.stats() == Stats(0, 1, {"queue_full": 2})


def test_an_outbox_keeps_what_is_not_delivered(opened: Opened, tmp_path: Path) -> None:
    intake = opened(background=BackgroundDelivery(linger_s=3600), outbox=tmp_path)
    taken = track(intake)
    assert intake.delivery is not None
    kept = (intake.delivery.close(0), intake.stats())
    outbox = Outbox(tmp_path, "proj_x", 10_000, lambda *lost: None)
    events = outbox.take(10, 10_000)
    outbox.close()

    assert (taken, kept) == (True, (False, Stats(0, 1, {})))
    assert [json.loads(event)["name"] for event in events] == ["signup"]


def test_an_outbox_that_cannot_be_written_is_found_at_once(
    opened: Opened, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_text("no directory")

    with pytest.raises(ClampError, match="cannot be used") as caught:
        opened(outbox=path)

    assert str(path) in str(caught.value)
    assert isinstance(caught.value.__cause__, OSError)


def test_only_an_exception_is_captured(opened: Opened) -> None:
    text: Any = "boom"

    with pytest.raises(TypeError, match="not an exception instance"):
        opened().capture_error(text, None, None, AT, None, handled=True)
