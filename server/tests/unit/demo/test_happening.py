"""Cutting a visit where the plan ends."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from clamp_server.demo.cast import visitor
from clamp_server.demo.happening import CartFilled, PageRead, Source, Visit

START = datetime(2024, 3, 12, 12, tzinfo=UTC)
SOMEBODY = visitor(1, 1)


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def read(path: str, start: float, end: float) -> PageRead:
    return PageRead(
        path=path, at=at(start), left_at=at(end), engaged_s=2, scroll_pct=50
    )


HOME, CART = read("/", 0, 10), read("/cart", 11, 20)
FILLED = CartFilled(
    visitor=SOMEBODY, user_id="", at=at(12), product="huila", items=1, gift=False
)
VISIT = Visit(
    visitor=SOMEBODY,
    session_id="s",
    source=Source(channel="direct"),
    pages=(HOME, CART),
    deeds=(FILLED,),
)


def test_every_page_its_end_and_every_deed_is_an_event() -> None:
    assert VISIT.events == 5


def test_what_happens_at_the_end_or_after_it_is_left_out() -> None:
    assert VISIT.until(at(12)) == replace(
        VISIT, pages=(HOME, replace(CART, left_at=None)), deeds=()
    )


def test_the_first_events_are_those_of_the_earliest_instants() -> None:
    open_home = replace(HOME, left_at=None)
    open_cart = replace(CART, left_at=None)

    assert [VISIT.first(number) for number in range(1, 7)] == [
        replace(VISIT, pages=(open_home,), deeds=()),
        replace(VISIT, pages=(HOME,), deeds=()),
        replace(VISIT, pages=(HOME, open_cart), deeds=()),
        replace(VISIT, pages=(HOME, open_cart)),
        VISIT,
        VISIT,
    ]
