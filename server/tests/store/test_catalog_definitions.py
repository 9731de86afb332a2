from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from tests.make import NOON

from clamp_server.errors import ConflictError, InvalidRequestError, NotFoundError
from clamp_server.model.alert import Alert
from clamp_server.model.cohort import Cohort, CohortDefinition, CohortFilter
from clamp_server.model.funnel import Funnel
from clamp_server.model.ids import ProjectId
from clamp_server.store.catalog import Catalog

STEPS = ("pageview:/ü", "signup[plan=pro]")
SIGNED_UP = CohortDefinition("signup", "30d", CohortFilter("plan", "pro"))


@pytest.fixture
def shop(catalog: Catalog) -> ProjectId:
    return catalog.create_project("Shop").id


@pytest.fixture
def other(catalog: Catalog) -> ProjectId:
    return catalog.create_project("Other").id


def test_a_funnel_comes_back_as_it_was_saved(catalog: Catalog, shop: ProjectId) -> None:
    saved = catalog.save_funnel(shop, "Check-out 🛒", STEPS)

    assert saved == Funnel(
        id=saved.id, name="Check-out 🛒", steps=STEPS, created_at=NOON
    )
    assert catalog.funnel(shop, "Check-out 🛒") == saved
    assert catalog.funnels(shop) == [saved]


@pytest.mark.parametrize(
    "definition",
    [
        CohortDefinition("signup", "30d"),
        SIGNED_UP,
        CohortDefinition("signup", "30d", CohortFilter("seats", 5.0)),
        CohortDefinition("signup", "30d", CohortFilter("seats", 0.1)),
        CohortDefinition("signup", "30d", CohortFilter("trial", False)),
    ],
)
def test_a_cohort_comes_back_as_it_was_saved(
    catalog: Catalog, shop: ProjectId, definition: CohortDefinition
) -> None:
    saved = catalog.save_cohort(shop, "pros", definition)

    found = catalog.cohort(shop, "pros")
    assert saved == Cohort(
        id=saved.id, name="pros", definition=definition, created_at=NOON
    )
    assert (repr(found), catalog.cohorts(shop)) == (repr(saved), [saved])


def test_alerts_come_back_as_they_were_saved(catalog: Catalog, shop: ProjectId) -> None:
    saved = [
        catalog.save_alert(
            shop,
            metric="visitors",
            condition="drops_by",
            threshold=12.5,
            period="7d",
            pathname=pathname,
        )
        for pathname in (None, "/ü")
    ]

    assert saved[1] == Alert(
        id=saved[1].id,
        metric="visitors",
        condition="drops_by",
        threshold=12.5,
        period="7d",
        pathname="/ü",
        created_at=NOON,
    )
    assert sorted(catalog.alerts(shop), key=lambda a: a.pathname or "") == saved


def test_a_name_is_taken_once_in_each_project(
    catalog: Catalog, shop: ProjectId, other: ProjectId
) -> None:
    catalog.save_funnel(shop, "a", STEPS)
    catalog.save_cohort(shop, "a", SIGNED_UP)
    catalog.save_funnel(other, "a", STEPS)
    catalog.save_cohort(other, "a", SIGNED_UP)

    with pytest.raises(ConflictError) as funnel:
        catalog.save_funnel(shop, "a", STEPS[::-1])
    with pytest.raises(ConflictError) as cohort:
        catalog.save_cohort(shop, "a", SIGNED_UP)

    assert [refused.value.message for refused in (funnel, cohort)] == [
        f"name: there is a {kind} 'a' already; delete that one or choose another name"
        for kind in ("funnel", "cohort")
    ]
    assert [funnel.steps for funnel in catalog.funnels(shop)] == [STEPS]


def watched(catalog: Catalog, project_id: ProjectId) -> Alert:
    return catalog.save_alert(
        project_id,
        metric="sessions",
        condition="above",
        threshold=1,
        period="1d",
        pathname=None,
    )


def test_a_full_project_saves_no_more_until_one_is_deleted(
    catalog: Catalog, shop: ProjectId, other: ProjectId
) -> None:
    for number in range(50):
        catalog.save_funnel(shop, f"{number}", STEPS)
        catalog.save_cohort(shop, f"{number}", SIGNED_UP)
        watched(catalog, shop)

    messages = []
    for one_more in (
        lambda: catalog.save_funnel(shop, "one more", STEPS),
        lambda: catalog.save_cohort(shop, "one more", SIGNED_UP),
        lambda: watched(catalog, shop),
    ):
        with pytest.raises(InvalidRequestError) as refused:
            one_more()
        messages.append(refused.value.message)
    with pytest.raises(ConflictError):
        catalog.save_funnel(shop, "7", STEPS)
    catalog.save_funnel(other, "one more", STEPS)
    catalog.delete_funnel(shop, "7")
    catalog.save_funnel(shop, "one more", STEPS)

    assert messages == [
        f"{kind}: a project can save 50, and this one has; delete one that nobody needs"
        for kind in ("funnels", "cohorts", "alerts")
    ]
    assert [
        len(saved)
        for saved in (
            catalog.funnels(shop),
            catalog.cohorts(shop),
            catalog.alerts(shop),
            catalog.funnels(other),
        )
    ] == [50, 50, 50, 1]


def test_what_is_deleted_is_gone_in_its_project_only(
    catalog: Catalog, shop: ProjectId, other: ProjectId
) -> None:
    for project_id in (shop, other):
        catalog.save_funnel(project_id, "a", STEPS)
        catalog.save_cohort(project_id, "a", SIGNED_UP)

    catalog.delete_funnel(shop, "a")
    catalog.delete_cohort(shop, "a")

    assert (catalog.funnels(shop), catalog.cohorts(shop)) == ([], [])
    assert (len(catalog.funnels(other)), len(catalog.cohorts(other))) == (1, 1)
    assert catalog.save_funnel(shop, "a", STEPS).name == "a"


def test_an_alert_is_deleted_by_its_id(
    catalog: Catalog, shop: ProjectId, other: ProjectId
) -> None:
    alert = watched(catalog, shop)

    with pytest.raises(NotFoundError):
        catalog.delete_alert(other, alert.id)
    catalog.delete_alert(shop, alert.id)

    assert catalog.alerts(shop) == []


def test_what_is_not_there_is_said_by_its_kind(
    catalog: Catalog, shop: ProjectId
) -> None:
    messages = []
    for missing in (
        lambda: catalog.funnel(shop, "x"),
        lambda: catalog.delete_funnel(shop, "x"),
        lambda: catalog.cohort(shop, "x"),
        lambda: catalog.delete_cohort(shop, "x"),
        lambda: catalog.delete_alert(shop, "x"),
    ):
        with pytest.raises(NotFoundError) as refused:
            missing()
        messages.append(refused.value.message)

    assert messages == [
        "name: there is no funnel 'x' in this project",
        "name: there is no funnel 'x' in this project",
        "name: there is no cohort 'x' in this project",
        "name: there is no cohort 'x' in this project",
        "id: there is no alert 'x' in this project",
    ]


def test_a_catalog_of_the_release_before_keeps_what_it_has(
    catalog: Catalog, shop: ProjectId, tmp_path: Path
) -> None:
    path = tmp_path / "data" / "catalog.sqlite"
    with sqlite3.connect(path) as connection:
        for table in ("funnels", "cohorts", "alerts"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    connection.close()

    catalog.migrate()

    saved = catalog.save_funnel(shop, "a", STEPS)
    assert catalog.funnels(shop) == [saved]
