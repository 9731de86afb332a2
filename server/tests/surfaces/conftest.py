"""What the tests of every surface may ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.surfaces.browser import Site, opened_site
from tests.surfaces.ingest_server import IngestServer, ingest_server

from clamp_server.model.project import Project


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[Site]:
    """The pages of a server without users, projects or events."""
    with opened_site(tmp_path) as site:
        yield site


@pytest.fixture
def project(pages: Site) -> Project:
    """A project, whose pages are open to this browser."""
    pages.open_link()
    return pages.catalog.create_project("Corner Coffee", time_zone="Europe/Zurich")


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IngestServer]:
    """One server for the tests of a module."""
    with ingest_server(tmp_path_factory.mktemp("data")) as made:
        yield made


@pytest.fixture
def server(shared_server: IngestServer) -> IngestServer:
    """A server whose earlier events are forgotten."""
    shared_server.stored()
    return shared_server
