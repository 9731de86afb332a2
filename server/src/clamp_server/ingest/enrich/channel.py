"""Which kind of source brought a visit.

The order is the rule: an ad's own mark beats mail, mail beats a search engine,
that beats a social network, and any other site is a referral. Hosts and words
are files in `data/`; `CHANNEL_RULES` numbers this order and those files
together, and grows with every change of either: the past is never reclassified.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from clamp_server.model.event import Channel

CHANNEL_RULES = 1
DATA = Path(__file__).parent / "data"

# The word of a file, as the type that it is checked to be.
CHANNELS: Mapping[str, Channel] = {name: name for name in get_args(Channel)}


@dataclass(frozen=True, slots=True)
class Sources:
    """What is known of hosts, media and click ids.

    Attributes:
        hosts: Channel by host; a host stands for its subdomains too.
        media: Channel by `utm_medium`, lower case.
        media_starts: Channel by how a `utm_medium` starts.
        click_ids: Query keys that only an advertiser's link carries.
    """

    hosts: Mapping[str, Channel]
    media: Mapping[str, Channel]
    media_starts: tuple[tuple[str, Channel], ...]
    click_ids: frozenset[str]


def load_sources(data: Path = DATA) -> Sources:
    """Read the lists in `data`; own entries win over the published list's."""
    hosts: dict[str, Channel] = {}
    for file in ("hosts.tsv", "hosts-own.tsv"):
        hosts |= {host: CHANNELS[name] for name, host in _rows(data / file)}
    media: dict[str, Channel] = {}
    click_ids: set[str] = set()
    for kind, word in _rows(data / "campaign.tsv"):
        if kind == "click_id":
            click_ids.add(word)
        else:
            media[word] = CHANNELS[kind]
    return Sources(
        hosts=hosts,
        media={word: found for word, found in media.items() if word[-1] != "*"},
        media_starts=tuple((w[:-1], media[w]) for w in media if w[-1] == "*"),
        click_ids=frozenset(click_ids),
    )


def channel(sources: Sources, query: Mapping[str, str], referrer_host: str) -> Channel:
    """Name the channel of a visit.

    Args:
        sources: The lists of `load_sources`.
        query: The page's query, decoded.
        referrer_host: Lower case; empty without a referrer and for the own site.
    """
    medium = _by_medium(sources, query.get("utm_medium", "").strip().lower())
    if medium == "paid" or not sources.click_ids.isdisjoint(query):
        return "paid"
    by_host = _by_host(sources.hosts, referrer_host)
    if medium == "email" or by_host == "email":
        return "email"
    return by_host or ("referral" if referrer_host else "direct")


def _by_medium(sources: Sources, medium: str) -> Channel | None:
    if found := sources.media.get(medium):
        return found
    return next(
        (c for start, c in sources.media_starts if medium.startswith(start)), None
    )


def _by_host(hosts: Mapping[str, Channel], host: str) -> Channel | None:
    # The longest listed name decides: `mail.google.com` before `google.com`.
    # Whole labels only, so that `t.co` does not own `microsoft.com`.
    while host:
        if found := hosts.get(host):
            return found
        host = host.partition(".")[2]
    return None


def _rows(file: Path) -> Iterator[tuple[str, str]]:
    for line in file.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            kind, _, word = line.partition("\t")
            yield kind, word
