from __future__ import annotations

from pathlib import Path

import pytest
from tests.make import NOON

from clamp_server.errors import CatalogError
from clamp_server.model.ids import KeyId, ProjectId
from clamp_server.model.project import Key, Project
from clamp_server.store.catalog import Catalog

NOBODY = ProjectId("proj_nobody")


def test_a_project_has_plain_settings_until_it_is_told_otherwise(
    catalog: Catalog,
) -> None:
    shop = catalog.create_project(" Shop ")

    assert shop == Project(
        id=ProjectId("proj_0000000000000001"),
        name="Shop",
        created_at=NOON,
        time_zone="UTC",
        allowed_origins=(),
        rate_limit_per_s=None,
    )
    assert catalog.project(shop.id) == shop


def test_a_project_keeps_what_it_was_made_with(catalog: Catalog) -> None:
    shop = catalog.create_project(
        "Shop",
        time_zone="Europe/Berlin",
        allowed_origins=("https://Shop.example", "http://localhost:3000"),
        rate_limit_per_s=50,
    )

    assert shop == Project(
        id=shop.id,
        name="Shop",
        created_at=NOON,
        time_zone="Europe/Berlin",
        allowed_origins=("https://shop.example", "http://localhost:3000"),
        rate_limit_per_s=50,
    )
    assert catalog.project(shop.id) == shop


def test_projects_are_listed_oldest_first(catalog: Catalog) -> None:
    made = [catalog.create_project(name) for name in ("Shop", "Blog", "Shop")]

    assert catalog.projects() == made


def test_an_unknown_project_is_none(catalog: Catalog) -> None:
    assert catalog.project(NOBODY) is None
    assert catalog.projects() == []


def test_a_change_changes_what_it_names_and_nothing_else(catalog: Catalog) -> None:
    shop = catalog.create_project("Shop", rate_limit_per_s=50)

    assert catalog.update_project(shop.id) == shop
    changed = catalog.update_project(
        shop.id,
        name="Store",
        time_zone="Asia/Tokyo",
        allowed_origins=("https://store.example",),
    )

    assert changed == Project(
        id=shop.id,
        name="Store",
        created_at=NOON,
        time_zone="Asia/Tokyo",
        allowed_origins=("https://store.example",),
        rate_limit_per_s=50,
    )
    assert catalog.project(shop.id) == changed


def test_a_rate_limit_can_be_lifted(catalog: Catalog) -> None:
    shop = catalog.create_project("Shop", rate_limit_per_s=50)

    assert catalog.update_project(shop.id, rate_limit_per_s=None) == Project(
        id=shop.id, name="Shop", created_at=NOON
    )


def test_a_refused_change_changes_nothing(catalog: Catalog) -> None:
    shop = catalog.create_project("Shop")

    with pytest.raises(CatalogError, match="time zone 'Berlin' is not known"):
        catalog.update_project(shop.id, name="Store", time_zone="Berlin")

    assert catalog.project(shop.id) == shop


def test_an_unknown_project_cannot_be_changed(catalog: Catalog) -> None:
    with pytest.raises(CatalogError) as refusal:
        catalog.update_project(NOBODY, name="Store")

    assert str(refusal.value) == (
        "there is no project 'proj_nobody'; `clamp project list` shows them"
    )


def test_a_key_tells_its_secret_once(catalog: Catalog, tmp_path: Path) -> None:
    shop = catalog.create_project("Shop")

    made = catalog.create_key(shop.id)

    assert made.api_key == "sk_proj_" + f"{2:016d}" + "a" * 27
    assert made.key == Key(
        id=KeyId("key_0000000000000003"),
        project_id=shop.id,
        hint="aaaa",
        created_at=NOON,
    )
    assert made.api_key not in repr(made)
    written = b"".join(file.read_bytes() for file in (tmp_path / "data").iterdir())
    assert made.key.id.encode() in written
    assert made.api_key.encode() not in written


def test_a_key_finds_its_project(catalog: Catalog) -> None:
    shop, blog = catalog.create_project("Shop"), catalog.create_project("Blog")
    first, second = catalog.create_key(shop.id), catalog.create_key(blog.id)

    assert catalog.project_and_key(first.api_key) == (shop, first.key)
    assert catalog.project_and_key(second.api_key) == (blog, second.key)
    assert catalog.project_and_key(first.api_key + "x") is None


def test_keys_are_listed_by_project(catalog: Catalog) -> None:
    shop, blog = catalog.create_project("Shop"), catalog.create_project("Blog")
    made = [catalog.create_key(shop.id).key for _ in range(2)]
    catalog.create_key(blog.id)

    assert catalog.keys(shop.id) == made
    assert catalog.keys(NOBODY) == []


def test_a_revoked_key_is_found_as_revoked(catalog: Catalog) -> None:
    shop = catalog.create_project("Shop")
    made = catalog.create_key(shop.id)

    revoked = catalog.revoke_key(made.key.id)

    assert revoked == Key(
        id=made.key.id,
        project_id=shop.id,
        hint="aaaa",
        created_at=NOON,
        revoked_at=NOON,
    )
    assert catalog.revoke_key(made.key.id) == revoked
    assert catalog.project_and_key(made.api_key) == (shop, revoked)


def test_a_key_needs_a_project(catalog: Catalog) -> None:
    with pytest.raises(CatalogError, match="there is no project 'proj_nobody'"):
        catalog.create_key(NOBODY)


def test_an_unknown_key_cannot_be_revoked(catalog: Catalog) -> None:
    with pytest.raises(CatalogError) as refusal:
        catalog.revoke_key(KeyId("key_nobody"))

    assert str(refusal.value) == (
        "there is no key 'key_nobody'; `clamp key list PROJECT_ID` shows them"
    )
