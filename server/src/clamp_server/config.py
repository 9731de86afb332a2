"""Settings: frozen once, read by `app.py`. Environment is read here only."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from clamp_server.errors import ConfigError

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8400
DEFAULT_DATA = "clamp-data"
CLICKHOUSE_SCHEMES = ("clickhouse", "clickhouses")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How one server process runs.

    Attributes:
        data: Directory of everything that is kept; made when it is missing.
        store_url: The ClickHouse database of the events, with its password; None
            keeps them in `data`.
        host: Address to listen on.
        port: TCP port to listen on; 0 lets the system choose.
        trusted_proxies: Networks whose `X-Forwarded-For` is believed.
        max_queued_events: Events accepted but not yet committed; over it the
            answer is 503. 20,000 events of 1 KB are 20 MB.
        duckdb_memory_mb: DuckDB's own limit, in MB.
        public_url: Where people reach the server from outside; None takes the
            address it listens on.
    """

    data: Path
    store_url: str | None = field(default=None, repr=False)
    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    max_queued_events: int = 20_000
    duckdb_memory_mb: int = 192
    public_url: str | None = None

    @property
    def events_path(self) -> Path:
        """The DuckDB file of the events."""
        return self.data / "events.duckdb"

    @property
    def catalog_url(self) -> str:
        """SQLAlchemy URL of the catalog."""
        return f"sqlite:///{self.data / 'catalog.sqlite'}"

    @property
    def geo_path(self) -> Path:
        """A database of places that the operator installed; may not exist."""
        return self.data / "geo.mmdb"


def data_directory(
    chosen: Path | None, environ: Mapping[str, str] = os.environ
) -> Path:
    """Return the data directory: `--data`, else `CLAMP_DATA`, else `./clamp-data`."""
    return (chosen or Path(environ.get("CLAMP_DATA") or DEFAULT_DATA)).absolute()


def event_store_url(
    chosen: str | None, environ: Mapping[str, str] = os.environ
) -> str | None:
    """Return where events are kept: `--store`, else `CLAMP_STORE`.

    Returns:
        None for `duckdb`, which is also the default: in the data directory.

    Raises:
        ConfigError: It is neither that nor the address of a ClickHouse database.
            The message has nothing of it, for it may hold a password.
    """
    url = chosen or environ.get("CLAMP_STORE") or "duckdb"
    if url == "duckdb":
        return None
    allowed = "duckdb, or clickhouse[s]://USER:PASSWORD@HOST:PORT/DATABASE, is allowed"
    try:
        parts = urlsplit(url)
        is_whole = parts.hostname and parts.port != 0 and parts.path.strip("/")
    except ValueError as error:
        raise ConfigError(f"--store, CLAMP_STORE: {allowed}") from error
    if parts.scheme not in CLICKHOUSE_SCHEMES or not is_whole:
        raise ConfigError(f"--store, CLAMP_STORE: {allowed}")
    return url


def networks(texts: list[str]) -> tuple[IPv4Network | IPv6Network, ...]:
    """Read `--trusted-proxy` values.

    Raises:
        ConfigError: If one is neither an address nor a network in CIDR form.
    """
    try:
        return tuple(ip_network(text.strip()) for text in texts)
    except ValueError as error:
        raise ConfigError(
            f"--trusted-proxy: {error}; give an address such as 10.0.0.7"
            " or a network such as 10.0.0.0/8"
        ) from error
