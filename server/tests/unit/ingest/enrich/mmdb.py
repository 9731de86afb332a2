"""Writes small databases in the MaxMind format, as its specification says."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import TypeAlias

Value: TypeAlias = "str | int | Mapping[str, Value] | list[Value]"
METADATA_MARK = b"\xab\xcd\xefMaxMind.com"
DATA_GAP_BYTES = 16
BUILT_AT = 1_767_225_600  # 2026-01-01
# Numbers of the metadata have their size by name; all others are of 16 bits.
UINT16 = 5
NUMBER_KINDS = {"node_count": 6, "build_epoch": 9}


def write_database(
    path: Path, records: Mapping[str, Value], *, kind: str = "Test", ip_version: int = 6
) -> Path:
    """Write `records` by network; IPv4 networks lie under ::/96 as they should."""
    tree: list[list[int | None]] = [[None, None]]
    data = b""
    offsets: dict[int, int] = {}
    for network, value in records.items():
        leaf = -1 - len(offsets)
        offsets[leaf] = len(data)
        data += _encoded(value)
        _insert(tree, _bits(network, ip_version), leaf)
    nodes = b"".join(_record(child, len(tree), offsets) for n in tree for child in n)
    about: Value = {
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": BUILT_AT,
        "database_type": kind,
        "description": {"en": "for tests"},
        "ip_version": ip_version,
        "languages": ["en"],
        "node_count": len(tree),
        "record_size": 24,
    }
    gap = bytes(DATA_GAP_BYTES)
    path.write_bytes(nodes + gap + data + METADATA_MARK + _encoded(about))
    return path


def _bits(network: str, ip_version: int) -> str:
    parsed = ip_network(network)
    bits = f"{int(parsed.network_address):0{parsed.max_prefixlen}b}"
    prefix = bits[: parsed.prefixlen]
    return "0" * 96 + prefix if parsed.version < ip_version else prefix


def _insert(tree: list[list[int | None]], bits: str, leaf: int) -> None:
    node = 0
    for bit in map(int, bits[:-1]):
        child = tree[node][bit]
        if child is None:
            child = tree[node][bit] = len(tree)
            tree.append([None, None])
        node = child
    tree[node][int(bits[-1])] = leaf


def _record(child: int | None, node_count: int, offsets: Mapping[int, int]) -> bytes:
    if child is None:
        pointer = node_count
    elif child < 0:
        pointer = node_count + DATA_GAP_BYTES + offsets[child]
    else:
        pointer = child
    return pointer.to_bytes(3, "big")


def _encoded(value: Value, key: str = "") -> bytes:
    if isinstance(value, str):
        raw = value.encode()
        return _control(2, len(raw)) + raw
    if isinstance(value, int):
        raw = value.to_bytes(8, "big").lstrip(b"\0")
        return _control(NUMBER_KINDS.get(key, UINT16), len(raw)) + raw
    if isinstance(value, list):
        return _control(11, len(value)) + b"".join(map(_encoded, value))
    pairs = (_encoded(key) + _encoded(item, key) for key, item in value.items())
    return _control(7, len(value)) + b"".join(pairs)


def _control(kind: int, size: int) -> bytes:
    assert size < 29, "longer values need another form, and no test has one"
    return bytes([kind << 5 | size]) if kind < 8 else bytes([size, kind - 7])
