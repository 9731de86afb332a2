from clamp_server.model.ids import ProjectId
from clamp_server.store.catalog import Catalog


def test_a_snapshot_finds_what_the_catalog_finds(catalog: Catalog) -> None:
    shop = catalog.create_project("Shop", rate_limit_per_s=5)
    catalog.create_project("Blog")
    made = catalog.create_key(shop.id)

    snapshot = catalog.snapshot()

    assert snapshot.project_and_key(made.api_key) == (shop, made.key)
    assert snapshot.project_and_key(made.api_key) == catalog.project_and_key(
        made.api_key
    )
    assert snapshot.projects == {found.id: found for found in catalog.projects()}


def test_a_snapshot_knows_a_revoked_key_as_revoked(catalog: Catalog) -> None:
    made = catalog.create_key(catalog.create_project("Shop").id)

    revoked = catalog.revoke_key(made.key.id)

    found = catalog.snapshot().project_and_key(made.api_key)
    assert found is not None
    assert found[1] == revoked


def test_a_snapshot_does_not_know_what_comes_later(catalog: Catalog) -> None:
    before = catalog.snapshot()

    made = catalog.create_key(catalog.create_project("Shop").id)

    assert before.project_and_key(made.api_key) is None
    assert before.projects.get(ProjectId(made.key.project_id)) is None
