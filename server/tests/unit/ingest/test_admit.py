from dataclasses import replace

import pytest
from tests.make import NOON, PROJECT

from clamp_server.errors import ForbiddenError, RateLimitedError
from clamp_server.ingest.admit import RateLimiter, check_origin, check_owner
from clamp_server.model.ids import ProjectId
from clamp_server.model.project import Project

SHOP = Project(id=PROJECT, name="Shop", created_at=NOON)
LISTED = replace(SHOP, allowed_origins=("https://shop.example", "http://a.example:81"))


class Time:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def takes(limiter: RateLimiter, project: Project, events: int) -> int | None:
    """Return the seconds to wait; None where the events were taken."""
    try:
        limiter.take(project, events)
    except RateLimitedError as refused:
        return refused.retry_after_s
    return None


def test_a_projects_own_key_is_right() -> None:
    check_owner(SHOP, PROJECT)


def test_a_key_of_another_project_is_refused() -> None:
    with pytest.raises(ForbiddenError) as refused:
        check_owner(SHOP, ProjectId("proj_blog"))

    assert (refused.value.code, refused.value.message) == (
        "wrong_project",
        'p: got "proj_blog"; this key belongs to another project',
    )


@pytest.mark.parametrize("origin", [None, "null", "https://any.example"])
def test_without_a_list_every_origin_may_send(origin: str | None) -> None:
    check_origin(SHOP, origin)


@pytest.mark.parametrize(
    "origin", ["https://shop.example", "HTTPS://Shop.Example", "http://a.example:81"]
)
def test_a_listed_origin_may_send(origin: str) -> None:
    check_origin(LISTED, origin)


@pytest.mark.parametrize(
    ("origin", "got"),
    [
        (None, "none"),
        ("null", '"null"'),
        ("", '""'),
        ("http://shop.example", '"http://shop.example"'),
        ("https://shop.example:8443", '"https://shop.example:8443"'),
        ("https://shop.example.evil.example", '"https://shop.example.evil.example"'),
        ("https://evil.example", '"https://evil.example"'),
    ],
)
def test_another_origin_is_refused(origin: str | None, got: str) -> None:
    with pytest.raises(ForbiddenError) as refused:
        check_origin(LISTED, origin)

    assert (refused.value.code, refused.value.message) == (
        "origin_not_allowed",
        f"origin: got {got}; this project takes events from the origins on its list"
        " only",
    )


def test_without_a_limit_everything_is_taken() -> None:
    limiter = RateLimiter(Time())

    assert takes(limiter, SHOP, 10**9) is None


def test_a_second_has_as_many_events_as_the_limit() -> None:
    time, limited = Time(), replace(SHOP, rate_limit_per_s=3)
    limiter = RateLimiter(time)

    at_once = [takes(limiter, limited, 1) for _ in range(4)]
    time.now_s += 1
    later = [takes(limiter, limited, 1) for _ in range(4)]
    time.now_s += 0.34
    a_third_later = [takes(limiter, limited, 1) for _ in range(2)]

    assert at_once == [None, None, None, 1]
    assert later == [None, None, None, 1]
    assert a_third_later == [None, 1]


def test_what_is_refused_is_not_counted() -> None:
    limiter, limited = RateLimiter(Time()), replace(SHOP, rate_limit_per_s=3)

    assert takes(limiter, limited, 2) is None
    assert takes(limiter, limited, 2) == 1
    assert takes(limiter, limited, 1) is None


def test_a_batch_larger_than_the_burst_passes_and_is_waited_for_afterwards() -> None:
    time, limited = Time(), replace(SHOP, rate_limit_per_s=10)
    limiter = RateLimiter(time)

    assert takes(limiter, limited, 100) is None
    assert takes(limiter, limited, 1) == 10
    time.now_s += 9.2
    assert takes(limiter, limited, 1) is None
    assert takes(limiter, limited, 100) == 1
    time.now_s += 1
    assert takes(limiter, limited, 100) is None


def test_what_was_not_stored_after_all_is_given_back() -> None:
    limiter, limited = RateLimiter(Time()), replace(SHOP, rate_limit_per_s=3)
    limiter.take(limited, 1000)

    limiter.give_back(limited, 1000)

    assert [takes(limiter, limited, n) for n in (3, 1)] == [None, 1]


def test_without_a_limit_there_is_nothing_to_give_back() -> None:
    limiter, limited = RateLimiter(Time()), replace(SHOP, rate_limit_per_s=3)
    limiter.take(SHOP, 1000)

    limiter.give_back(SHOP, 1000)

    assert [takes(limiter, limited, n) for n in (3, 1)] == [None, 1]


def test_projects_do_not_share_a_limit() -> None:
    limiter, limited = RateLimiter(Time()), replace(SHOP, rate_limit_per_s=1)
    other = replace(limited, id=ProjectId("proj_blog"))

    assert takes(limiter, limited, 1) is None
    assert takes(limiter, other, 1) is None
    assert takes(limiter, limited, 1) == 1


def test_a_changed_limit_holds_at_once() -> None:
    time = Time()
    limiter = RateLimiter(time)

    assert takes(limiter, replace(SHOP, rate_limit_per_s=100), 1) is None
    assert takes(limiter, replace(SHOP, rate_limit_per_s=1), 1) is None
    assert takes(limiter, replace(SHOP, rate_limit_per_s=1), 1) == 1
