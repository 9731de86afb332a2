"""The address of the client behind proxies; it is never stored or logged."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network


def client_address(
    peer: str, forwarded_for: Sequence[str], trusted: Sequence[Network]
) -> str:
    """Return the client's address as text; empty when it cannot be known.

    Each proxy appends the address it was called from, so the list is believed
    from its end for as long as the caller is a trusted proxy. The first that is
    not one is the client: anything further left is its own claim.

    Args:
        peer: Address at the other end of the connection.
        forwarded_for: Values of `X-Forwarded-For`, in the order they came.

    >>> from ipaddress import ip_network
    >>> proxies = [ip_network("10.0.0.0/8")]
    >>> client_address("10.0.0.1", ["1.1.1.1, 203.0.113.7, 10.0.0.2"], proxies)
    '203.0.113.7'
    """
    address = _address(peer)
    if not trusted:
        return str(address or "")
    hops = [hop for value in forwarded_for for hop in value.split(",")]
    while address is not None and hops and _is_trusted(address, trusted):
        address = _address(hops.pop())
    return str(address or "")


def _is_trusted(address: Address, trusted: Sequence[Network]) -> bool:
    return any(address in network for network in trusted)


def _address(text: str) -> Address | None:
    text = text.strip()
    # Some proxies add the port: 203.0.113.7:4711 or [2001:db8::7]:4711.
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # A socket that listens on IPv6 sees IPv4 clients as ::ffff:203.0.113.7.
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
