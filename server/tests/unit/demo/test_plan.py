"""What every plan holds, whatever its dice."""

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from clamp_server.demo.browsers import page_events
from clamp_server.demo.happening import (
    Crashed,
    Deed,
    Happening,
    Payment,
    SignedUp,
    Visit,
)
from clamp_server.demo.plan import plan

UNTIL = datetime(2024, 3, 12, 15, 30, tzinfo=UTC)


def count(happening: Happening) -> int:
    return happening.events if isinstance(happening, Visit) else 1


def deeds(happenings: list[Happening]) -> list[Deed]:
    return [
        deed
        for happening in happenings
        for deed in (happening.deeds if isinstance(happening, Visit) else [happening])
    ]


@pytest.fixture(scope="module")
def quarter() -> list[Happening]:
    """A plan in which even the rare things happen."""
    return list(plan(UNTIL, days=90, events=20_000, seed=7))


@pytest.fixture(scope="module")
def visits(quarter: list[Happening]) -> list[Visit]:
    return [happening for happening in quarter if isinstance(happening, Visit)]


@pytest.mark.parametrize("days", [1, 7, 90, 365])
@pytest.mark.parametrize("events", [1, 2, 3, 38, 500, 5_000])
def test_a_plan_has_exactly_as_many_events_as_asked(days: int, events: int) -> None:
    planned = plan(UNTIL, days=days, events=events, seed=7)

    assert sum(map(count, planned)) == events


def test_the_same_seed_makes_the_same_events() -> None:
    first, second = (list(plan(UNTIL, days=9, events=900, seed=5)) for _ in range(2))

    assert first == second
    assert [page_events(v) for v in first if isinstance(v, Visit)] == [
        page_events(v) for v in second if isinstance(v, Visit)
    ]


def test_another_seed_makes_others() -> None:
    first, second = (
        {
            happening.visitor.anonymous_id
            for happening in plan(UNTIL, days=9, events=900, seed=seed)
        }
        for seed in (5, 6)
    )

    assert first & second == set()


def test_all_of_it_is_in_its_days_and_in_order(quarter: list[Happening]) -> None:
    instants = [happening.at for happening in quarter]

    assert instants == sorted(instants)
    assert UNTIL - timedelta(days=90) <= instants[0]
    assert max(deed.at for deed in deeds(quarter)) < UNTIL
    assert max(
        page.left_at or page.at
        for happening in quarter
        if isinstance(happening, Visit)
        for page in happening.pages
    ) < UNTIL  # fmt: skip


def test_no_two_events_of_a_visit_have_one_instant(visits: list[Visit]) -> None:
    for visit in visits:
        instants = {page.at for page in visit.pages}
        instants |= {page.left_at for page in visit.pages if page.left_at}
        instants |= {deed.at for deed in visit.deeds}
        assert len(instants) == visit.events


def test_what_the_server_does_is_in_one_visit_or_long_after_it(
    quarter: list[Happening],
) -> None:
    # Half an hour decides whether an event belongs to a session.
    seen: defaultdict[str, list[datetime]] = defaultdict(list)
    for happening in quarter:
        end = happening.at
        if isinstance(happening, Visit):
            end = max(p.left_at or p.at for p in happening.pages)
        seen[happening.visitor.anonymous_id].extend([happening.at, end])

    gaps = [
        later - earlier
        for instants in seen.values()
        for earlier, later in pairwise(instants[1:])
    ][::2]
    assert min(gaps) > timedelta(minutes=30)


def test_people_come_back(visits: list[Visit]) -> None:
    times = Counter(visit.visitor.anonymous_id for visit in visits)

    assert len(times) < 0.8 * len(visits)
    assert max(times.values()) >= 4


def test_weekends_are_quiet_and_so_are_nights(visits: list[Visit]) -> None:
    weekday = Counter(visit.at.weekday() for visit in visits)
    hour = Counter(visit.at.hour for visit in visits)

    assert max(weekday[5], weekday[6]) < min(weekday[day] for day in range(5))
    assert max(hour[at] for at in (2, 3, 4)) < min(hour[at] for at in range(9, 19))


def test_a_few_are_bots_and_do_nothing_but_read(visits: list[Visit]) -> None:
    bots = [visit for visit in visits if visit.visitor.is_bot]

    assert 0.02 < len(bots) / len(visits) < 0.07
    assert {visit.source.channel for visit in bots} == {"direct"}
    assert [visit.deeds for visit in bots] == [()] * len(bots)


def test_subscriptions_start_renew_grow_and_end(quarter: list[Happening]) -> None:
    paid = [deed for deed in deeds(quarter) if isinstance(deed, Payment)]
    mrr: defaultdict[str, Decimal] = defaultdict(Decimal)
    ended: set[str] = set()
    for one in sorted(paid, key=lambda payment: payment.at):
        if not one.plan:
            continue
        who = one.visitor.anonymous_id
        assert one.event == "refund_issued" or who not in ended, one
        mrr[who] += one.monthly_change
        if one.event == "subscription_canceled":
            ended.add(who)
            assert mrr[who] == 0, one
        else:
            assert mrr[who] == one.amount or who in ended, one

    assert {payment.event for payment in paid} == {
        "purchase",
        "refund_issued",
        "subscription_started",
        "subscription_renewed",
        "subscription_upgraded",
        "subscription_canceled",
    }


def test_bugs_come_and_go_with_releases(quarter: list[Happening]) -> None:
    releases: defaultdict[str, set[str]] = defaultdict(set)
    running: defaultdict[str, list[datetime]] = defaultdict(list)
    for deed in deeds(quarter):
        if isinstance(deed, Crashed):
            releases[deed.bug].add(deed.release)
            running[deed.release].append(deed.at)

    assert releases == {
        "declined": {"2.3.0", "2.4.0", "2.5.0"},
        "postcode": {"2.4.0"},
        "reading_time": {"2.5.0"},
    }
    assert max(running["2.3.0"]) < min(running["2.4.0"])
    assert max(running["2.4.0"]) < min(running["2.5.0"])


def test_nobody_is_a_user_before_there_is_an_account(visits: list[Visit]) -> None:
    known: set[str] = set()
    for deed in deeds([*visits]):
        who = deed.visitor
        if isinstance(deed, SignedUp):
            assert who.anonymous_id not in known
            known.add(who.anonymous_id)
        assert deed.user_id == (who.user_id if who.anonymous_id in known else "")


@pytest.mark.parametrize("seed", [3, 7, 11])
def test_a_usual_week_has_something_of_everything(seed: int) -> None:
    week = list(plan(UNTIL, days=7, events=2_000, seed=seed))

    done = deeds(week)
    assert {type(deed).__name__ for deed in done} == {
        "SignedUp", "Identified", "CartFilled", "Payment", "Crashed",
    }  # fmt: skip
    assert {deed.bug for deed in done if isinstance(deed, Crashed)} == {
        "declined", "postcode", "reading_time",
    }  # fmt: skip
    assert {"purchase", "subscription_started"} <= {
        deed.event for deed in done if isinstance(deed, Payment)
    }
