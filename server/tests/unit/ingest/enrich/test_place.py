from pathlib import Path

import pytest
from tests.unit.ingest.enrich.mmdb import Value, write_database

from clamp_server.errors import ConfigError
from clamp_server.ingest.enrich.place import (
    BUILT_IN,
    PlaceReader,
    check_database,
    read_place,
)
from clamp_server.model.event import Place

NESTED: Value = {
    "country": {"iso_code": "GB", "names": {"en": "United Kingdom"}},
    "subdivisions": [{"iso_code": "ENG", "names": {"en": "England"}}],
    "city": {"names": {"de": "Bad", "en": "Bath"}},
}
BATH = Place(country="GB", region="England", city="Bath")


@pytest.mark.parametrize(
    ("address", "country"),
    [
        ("81.2.69.142", "GB"),
        ("::ffff:81.2.69.142", "GB"),
        ("2001:4860:4860::8888", "US"),
        ("200.160.2.3", "BR"),
    ],
)
def test_the_built_in_database_knows_countries(address: str, country: str) -> None:
    assert PlaceReader(BUILT_IN).place(address) == Place(country=country)


@pytest.mark.parametrize(
    "address",
    [
        *("", "here", "81.2.69", "81.2.69.142:443"),
        *("10.0.0.1", "192.168.1.5", "127.0.0.1", "203.0.113.9"),
        *("::1", "2001:db8::1", "fe80::1%eth0"),
    ],
)
def test_an_address_of_no_place_has_none(address: str) -> None:
    assert PlaceReader(BUILT_IN).place(address) == Place()


def test_an_operators_database_of_cities_is_read(tmp_path: Path) -> None:
    path = write_database(tmp_path / "city.mmdb", {"81.2.69.0/24": NESTED})
    reader = PlaceReader(path)

    places = [reader.place(a) for a in ("81.2.69.142", "81.2.70.1", "2a00::1")]

    assert places == [BATH, Place(), Place()]


def test_a_database_of_old_addresses_does_not_know_new_ones(tmp_path: Path) -> None:
    records = {"81.2.69.0/24": {"country_code": "GB"}}
    reader = PlaceReader(write_database(tmp_path / "4.mmdb", records, ip_version=4))

    places = [reader.place("81.2.69.142"), reader.place("2001:4860::1")]

    assert places == [Place(country="GB"), Place()]


def damaged(path: Path) -> Path:
    write_database(path, {"81.0.0.0/8": {"country_code": "GB"}})
    path.write_bytes(path.read_bytes().replace(b"country_code", b"\xff" * 12))
    return path


def test_damage_in_a_database_costs_the_place_and_not_the_event(tmp_path: Path) -> None:
    reader = PlaceReader(damaged(tmp_path / "a.mmdb"))

    assert reader.place("81.2.69.142") == Place()


@pytest.mark.parametrize(
    ("record", "place"),
    [
        (NESTED, BATH),
        (
            {"country_code": "GB", "state1": "England", "city": "Bath"},
            BATH,
        ),
        (
            {"country": "GB", "region": "England", "city": "Bath", "loc": "51,-2"},
            BATH,
        ),
        ({"country": "United Kingdom", "country_code": "GB"}, Place(country="GB")),
        ({"city": {"names": {"de": "Bad"}}}, Place(city="Bad")),
        ({"city": {"names": {}}, "subdivisions": []}, Place()),
        ({"country": "United Kingdom"}, Place()),
        ({"country": {"iso_code": "gb"}}, Place()),
        ({"country_code": None, "city": None}, Place()),
        ({"country": 44}, Place()),
        ({"autonomous_system_number": 1}, Place()),
        ("GB", Place()),
        (None, Place()),
    ],
)
def test_records_are_read_nested_and_flat(record: object, place: Place) -> None:
    assert read_place(record) == place


def test_a_checked_database_says_what_it_is(tmp_path: Path) -> None:
    path = write_database(tmp_path / "a.mmdb", {"81.0.0.0/8": NESTED}, kind="City")

    assert check_database(path) == "City, built on 2026-01-01"


def test_a_database_without_countries_is_refused(tmp_path: Path) -> None:
    records = {"81.0.0.0/8": {"autonomous_system_number": 1}}
    path = write_database(tmp_path / "asn.mmdb", records, kind="ASN")

    with pytest.raises(
        ConfigError, match=r"asn\.mmdb: holds no countries \(ASN, built on 2026-01-01\)"
    ):
        check_database(path)


def test_a_damaged_database_is_refused(tmp_path: Path) -> None:
    path = damaged(tmp_path / "a.mmdb")

    with pytest.raises(ConfigError, match=r"a\.mmdb: damaged \(.*; fetch it again"):
        check_database(path)


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database")

    with pytest.raises(ConfigError, match=r"notes\.txt: not a database of places"):
        check_database(path)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.mmdb"
    path.touch()

    with pytest.raises(ConfigError, match="not a database of places"):
        check_database(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.mmdb: no such file"):
        check_database(tmp_path / "gone.mmdb")


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not a database of places"):
        check_database(tmp_path)
