"""The stream behind the page of a project: where it begins, and when it ends."""

import re
from pathlib import Path

import pytest
from tests.make import event, view
from tests.surfaces.browser import Site, opened_site
from tests.surfaces.project_page import add, page, stream
from tests.surfaces.shop import sale

from clamp_server.model.project import Project
from clamp_server.web.stream import Pace


def test_the_stream_sends_lines_that_the_page_can_put_on_top(
    pages: Site, project: Project
) -> None:
    add(pages, project, sale(), view("aid_1", path="/beans"))
    newest = int(re.findall(r'data-seq="(\d+)"', page(pages, project))[0])

    messages = stream(pages, project).split("\n\n")

    assert messages[0] == "retry: 2000"
    assert messages[1].startswith(f'id: {newest}\ndata: <li class="event page"')
    assert re.findall(r'event-name"><bdi>([^<]+)', messages[1]) == [
        "$pageview",
        "purchase",
    ]
    assert all(re.match(r"id: |data: ", line) for line in messages[1].split("\n"))
    assert messages[2:] == [""]


def test_the_stream_goes_on_where_the_page_or_the_browser_was(
    pages: Site, project: Project
) -> None:
    add(pages, project, event("one"), event("two"), event("three"))
    seqs = re.findall(r'<li [^>]*data-seq="(\d+)"', page(pages, project))

    after_page = stream(pages, project, f"?after={seqs[1]}")

    assert re.findall(r'event-name"><bdi>([^<]+)', after_page) == ["three"]


def test_what_the_browser_knows_wins_over_the_address_of_its_page(
    pages: Site, project: Project
) -> None:
    add(pages, project, event("one"), event("two"), event("three"))
    seqs = re.findall(r'<li [^>]*data-seq="(\d+)"', page(pages, project))

    resumed = stream(pages, project, f"?after={seqs[2]}", {"last-event-id": seqs[1]})

    assert re.findall(r'event-name"><bdi>([^<]+)', resumed) == ["three"]


@pytest.mark.parametrize("place", ["-1", "x", "1.5", "²", "9" * 5000], ids=ascii)
def test_a_place_that_is_none_is_the_beginning(
    pages: Site, project: Project, place: str
) -> None:
    add(pages, project, event("one"))

    told = stream(pages, project, f"?after={place}")

    assert re.findall(r'event-name"><bdi>([^<]+)', told) == ["one"]


def test_more_than_are_kept_are_said_to_be_missing(
    pages: Site, project: Project
) -> None:
    add(pages, project, *(event(f"e{n}") for n in range(51)))

    told = stream(pages, project)

    assert told.count('<li class="event"') == 50
    assert "More arrived than are shown here." in told


def test_a_quiet_stream_is_kept_open_with_comments(tmp_path: Path) -> None:
    pace = Pace(poll_s=3600, heartbeat_s=0.001, longest_s=0.1)
    with opened_site(tmp_path, pace=pace) as pages:
        pages.open_link()
        project = pages.catalog.create_project("Quiet")
        told = stream(pages, project)

    assert set(told.split("\n\n")) == {"retry: 2000", ": nothing new", ""}


def test_whoever_signed_out_meanwhile_sees_nothing_more(tmp_path: Path) -> None:
    with opened_site(tmp_path, pace=Pace(poll_s=0.001, heartbeat_s=0.001)) as pages:
        pages.open_link()
        project = pages.catalog.create_project("Watched")
        add(pages, project, event("seen by nobody"))
        token = pages.client.cookies["clamp_session"]
        told = stream(
            pages, project, begun=lambda: pages.catalog.delete_web_session(token)
        )

    assert told == "retry: 2000\n\n"


def test_one_viewer_too_many_is_told_when_to_come_back(
    pages: Site, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clamp_server.web.stream.MOST_VIEWERS", 0)

    answer = pages.get(f"/p/{project.id}/stream")

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
