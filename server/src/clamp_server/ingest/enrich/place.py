"""Where an address is, by a database on disk. The address goes no further."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any

import maxminddb
import msgspec

from clamp_server.errors import ConfigError
from clamp_server.model.event import Place

BUILT_IN = Path(__file__).parent / "data" / "country.mmdb"
# What a look into a damaged database raises.
DAMAGED = (maxminddb.InvalidDatabaseError, ValueError)
# One address in each part of the Internet: a database of countries knows some.
SAMPLE = [f"{n}.{n}.{n}.{n}" for n in range(1, 224)]
COUNTRY_CODE = re.compile(r"[A-Z]{2}")


class Named(msgspec.Struct):
    """A region or a city as MaxMind and DB-IP write it."""

    names: dict[str, str] = {}


class Country(msgspec.Struct):
    """A country as MaxMind and DB-IP write it."""

    iso_code: str = ""


class Record(msgspec.Struct):
    """What a database holds for an address, nested or flat; the rest is skipped."""

    country: Country | str | None = None
    country_code: str | None = None
    subdivisions: list[Named] = []
    region: str | None = None
    state1: str | None = None
    city: Named | str | None = None


class PlaceReader:
    """Looks addresses up in one database file."""

    def __init__(self, path: Path) -> None:
        """Open the file, without reading it whole.

        Raises:
            ConfigError: If it is not a database in the MaxMind format.
        """
        self._reader, self._about = _open(path)

    @property
    def description(self) -> str:
        """Its kind and the day that it was made."""
        built_on = datetime.fromtimestamp(self._about.build_epoch, UTC).date()
        return f"{self._about.database_type}, built on {built_on}"

    def place(self, address: str) -> Place:
        """Return where `address` is; all empty when that is unknown."""
        try:
            return self.checked_place(address)
        except DAMAGED:
            # Where nobody has looked before: an event is worth more than its place.
            return Place()

    def checked_place(self, address: str) -> Place:
        """Return where `address` is, and raise one of `DAMAGED` if that cannot be."""
        public = public_address(address)
        # A database of IPv4 addresses refuses to be asked for others.
        if public is None or public.version > self._about.ip_version:
            return Place()
        return read_place(self._reader.get(public))


def check_database(path: Path) -> str:
    """Open a database of places and say what it is, for a person to read.

    Raises:
        ConfigError: If it is missing, damaged, or knows no countries.
    """
    reader = PlaceReader(path)
    try:
        description = reader.description
        # By single looks, since walking through a damaged file ends the process.
        places = [reader.checked_place(address) for address in SAMPLE]
    except DAMAGED as error:
        raise ConfigError(f"{path}: damaged ({error}); fetch it again") from error
    # A database of networks or of anonymous proxies opens as well.
    if not any(place.country for place in places):
        raise ConfigError(
            f"{path}: holds no countries ({description});"
            " give a database of countries or cities"
        )
    return description


def public_address(text: str) -> IPv4Address | IPv6Address | None:
    """Read an address that can be anywhere; None for a private or reserved one.

    Databases do answer for some of the latter: the built-in one places
    192.168.0.0/16 in Australia, where the registry is that reserves it.

    >>> public_address("::ffff:81.2.69.142")
    IPv4Address('81.2.69.142')
    >>> public_address("192.168.1.5") is None
    True
    """
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address if address.is_global else None


def read_place(raw: object) -> Place:
    """Read a record: nested as MaxMind and DB-IP write it, or flat.

    Empty for what is no record of a place, such as the None of an address that
    the database does not know.

    >>> read_place({"country": {"iso_code": "GB"}, "city": {"names": {"en": "Bath"}}})
    Place(country='GB', region='', city='Bath')
    >>> read_place({"country_code": "GB", "state1": "England", "city": "Bath"})
    Place(country='GB', region='England', city='Bath')
    """
    try:
        record = msgspec.convert(raw, Record)
    except msgspec.ValidationError:
        return Place()
    nested = record.country
    code = nested.iso_code if isinstance(nested, Country) else nested
    code = record.country_code or code or ""
    divisions = record.subdivisions
    region = divisions[0] if divisions else record.state1 or record.region
    return Place(
        country=code if COUNTRY_CODE.fullmatch(code) else "",
        region=_name(region),
        city=_name(record.city),
    )


def _name(place: Named | str | None) -> str:
    if isinstance(place, Named):
        return place.names.get("en") or next(iter(place.names.values()), "")
    return place or ""


def _open(path: Path) -> tuple[Any, Any]:
    # `Any`: the library's types leave open what a path and a record may be.
    try:
        reader = maxminddb.open_database(path)  # pyright: ignore[reportUnknownMemberType]
        return reader, reader.metadata()
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file") from error
    except (OSError, *DAMAGED) as error:
        raise ConfigError(
            f"{path}: not a database of places ({error});"
            " give a file in the MaxMind format (.mmdb)"
        ) from error
