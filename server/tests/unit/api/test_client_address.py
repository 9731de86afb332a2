from ipaddress import ip_network

import pytest

from clamp_server.api.client_address import client_address

PROXIES = [ip_network("10.0.0.0/8"), ip_network("2001:db8:a::/48")]
CLIENT = "203.0.113.7"


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "client"),
    [
        # Without a proxy the header is anybody's claim.
        (CLIENT, [], CLIENT),
        (CLIENT, ["198.51.100.1"], CLIENT),
        ("2001:db8:b::1", ["198.51.100.1"], "2001:db8:b::1"),
        # One proxy, and what came before it is a claim.
        ("10.0.0.1", [CLIENT], CLIENT),
        ("10.0.0.1", [f"198.51.100.1, {CLIENT}"], CLIENT),
        ("10.0.0.1", ["198.51.100.1", CLIENT], CLIENT),
        ("10.0.0.1", [f"10.0.0.9, {CLIENT}"], CLIENT),
        # Several proxies.
        ("10.0.0.1", [f"198.51.100.1, {CLIENT}, 10.0.0.2"], CLIENT),
        ("10.0.0.1", [f"{CLIENT},10.0.0.3", "10.0.0.2"], CLIENT),
        ("2001:db8:a::1", [f"{CLIENT}, 10.0.0.2"], CLIENT),
        # Nobody but proxies: the furthest of them asked by itself.
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["10.0.0.2"], "10.0.0.2"),
        # Shapes that proxies write.
        ("10.0.0.1", [f"{CLIENT}:4711"], CLIENT),
        ("10.0.0.1", ["[2001:db8:b::1]:4711"], "2001:db8:b::1"),
        ("10.0.0.1", ["[2001:db8:b::1]"], "2001:db8:b::1"),
        ("10.0.0.1", [f"::ffff:{CLIENT}"], CLIENT),
        ("::ffff:10.0.0.1", [CLIENT], CLIENT),
        # What is no address is not guessed at.
        ("10.0.0.1", [f"{CLIENT}, unknown"], ""),
        ("10.0.0.1", [f"{CLIENT}, "], ""),
        ("10.0.0.1", [f"{CLIENT}, _hidden"], ""),
        ("", [CLIENT], ""),
        ("testclient", [CLIENT], ""),
    ],
)
def test_the_client_is_the_first_that_is_no_trusted_proxy(
    peer: str, forwarded_for: list[str], client: str
) -> None:
    assert client_address(peer, forwarded_for, PROXIES) == client


@pytest.mark.parametrize("peer", [CLIENT, "10.0.0.1", "2001:db8:a::1"])
def test_without_trusted_proxies_the_header_is_ignored(peer: str) -> None:
    assert client_address(peer, ["198.51.100.1"], []) == peer
