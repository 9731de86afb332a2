from __future__ import annotations

from clamp_server.model.ids import ProjectId
from clamp_server.store.id_filter import EventId, IdFilter, IdPage

SLOTS = 1024
PAGE_IDS = SLOTS // 2
SHOP, BLOG = ProjectId("proj_shop"), ProjectId("proj_blog")


def ids(count: int, project_id: ProjectId = SHOP) -> list[EventId]:
    return [(project_id, f"id-{number}") for number in range(count)]


def test_an_id_is_known_from_the_second_time_on() -> None:
    known = IdFilter([])

    assert known.add(ids(3), seq=10) == set()
    assert known.add(ids(5), seq=20) == set(ids(3))
    assert known.add(ids(5), seq=30) == set(ids(5))


def test_the_same_id_of_another_project_is_another_id() -> None:
    known = IdFilter([])
    known.add(ids(1), seq=10)

    assert known.add(ids(1, BLOG), seq=20) == set()
    # The parts do not run into each other.
    assert known.add([(ProjectId("proj_shopi"), "d-0")], seq=30) == set()


def test_no_stranger_is_taken_for_known_and_no_acquaintance_is_missed() -> None:
    known = IdFilter([], SLOTS)
    many = ids(20_000)
    parts = [many[start : start + 100] for start in range(0, len(many), 100)]

    # A mark has 32 bits: of so few ids none should meet another's.
    assert [known.add(part, seq) for seq, part in enumerate(parts)] == [set()] * 200
    assert [known.add(part, seq=200) for part in parts] == [set(p) for p in parts]


def test_a_page_that_is_full_is_followed_by_another() -> None:
    known = IdFilter([], SLOTS)
    known.add(ids(PAGE_IDS), seq=10)
    assert known.full_pages == []

    known.add([(SHOP, "one-more")], seq=20)

    (full,) = known.full_pages
    assert (full.ids, full.last_seq) == (PAGE_IDS, 10)


def test_a_saved_page_knows_what_it_knew() -> None:
    known = IdFilter([], SLOTS)
    known.add(ids(PAGE_IDS), seq=10)
    known.add([(SHOP, "one-more")], seq=20)
    (full,) = known.full_pages

    again = IdFilter([IdPage(full.marks, full.last_seq)], SLOTS)

    assert again.add([*ids(5), (SHOP, "one-more")], seq=30) == set(ids(5))


def test_pages_that_are_older_than_asked_are_forgotten() -> None:
    old, young = IdPage(bytes(64), 10), IdPage(bytes(64), 20)
    known = IdFilter([old, young])

    known.forget(before_seq=10)
    assert known.full_pages == [old, young]
    known.forget(before_seq=11)
    assert known.full_pages == [young]


def test_an_id_that_is_noted_again_outlives_the_page_of_its_first_time() -> None:
    known = IdFilter([], SLOTS)
    known.add(ids(PAGE_IDS), seq=10)
    known.add(ids(1), seq=20)

    known.forget(before_seq=11)

    assert known.add(ids(2), seq=30) == set(ids(1))


def test_a_call_with_more_ids_than_a_page_gets_a_page_of_its_size() -> None:
    known = IdFilter([], SLOTS)

    assert known.add(ids(10 * SLOTS), seq=10) == set()

    assert known.add(ids(10 * SLOTS), seq=20) == set(ids(10 * SLOTS))
