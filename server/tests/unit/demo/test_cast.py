"""Who comes."""

from collections import Counter
from random import Random

from clamp_server.demo.cast import drawn, source, visitor


def test_a_visitor_is_the_same_one_whenever_asked() -> None:
    assert visitor(7, 12) == visitor(7, 12)


def test_visitors_are_told_apart_by_number_and_seed() -> None:
    ids = {visitor(seed, n).anonymous_id for seed in (1, 2) for n in range(500)}

    assert len(ids) == 1_000


def test_each_is_drawn_as_often_as_its_share_says() -> None:
    dice = Random(1)

    found = Counter(drawn({"often": 3, "seldom": 1}, dice) for _ in range(4_000))

    assert set(found) == {"often", "seldom"}
    assert 0.7 < found["often"] / 4_000 < 0.8


def test_people_come_from_everywhere_with_everything() -> None:
    dice = Random(1)
    people = [one for n in range(2_000) if not (one := visitor(7, n)).is_bot]

    assert {one.device.kind for one in people} == {"desktop", "mobile", "tablet"}
    assert len({one.place.country for one in people}) == 8
    assert {source(one, dice).channel for one in people} == {
        "direct", "organic_search", "organic_social", "paid", "email", "referral",
    }  # fmt: skip


def test_crawlers_come_from_nowhere() -> None:
    dice = Random(1)
    bots = [one for n in range(2_000) if (one := visitor(7, n)).is_bot]

    assert {one.device.browser for one in bots} == {"Googlebot", "bingbot"}
    assert {source(one, dice).channel for one in bots} == {"direct"}
