"""Settings: frozen once, read by `app.py`. Environment is read here only."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

from clamp_server.errors import ConfigError

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8400
DEFAULT_DATA = "clamp-data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How one server process runs.

    Attributes:
        data: Directory of everything that is kept; made when it is missing.
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
