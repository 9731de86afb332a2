from pathlib import Path

import pytest
from publicsuffixlist import PublicSuffixList

from clamp_server.ingest.enrich.channel import Sources, channel, load_sources
from clamp_server.model.event import Channel

SOURCES = load_sources()


@pytest.mark.parametrize(
    ("query", "host", "expected"),
    [
        ({}, "", "direct"),
        ({}, "www.google.com", "organic_search"),
        ({}, "www.google.co.uk", "organic_search"),
        ({}, "duckduckgo.com", "organic_search"),
        ({}, "m.facebook.com", "organic_social"),
        ({}, "t.co", "organic_social"),
        ({}, "com.reddit.frontpage", "organic_social"),
        ({}, "mail.google.com", "email"),
        ({}, "com.google.android.gm", "email"),
        ({}, "outlook.live.com", "email"),
        ({}, "news.example", "referral"),
        ({"utm_medium": "email"}, "", "email"),
        ({"utm_medium": " E-Mail "}, "www.google.com", "email"),
        ({"utm_medium": "newsletter"}, "", "direct"),
        ({"utm_source": "google"}, "", "direct"),
        ({"utm_medium": "cpc"}, "www.google.com", "paid"),
        ({"utm_medium": "CPC"}, "", "paid"),
        ({"utm_medium": "paid_social"}, "m.facebook.com", "paid"),
        ({"utm_medium": "display"}, "news.example", "paid"),
        ({"gclid": "1"}, "www.google.com", "paid"),
        ({"msclkid": "1"}, "", "paid"),
        ({"gclid": "1", "utm_medium": "email"}, "mail.google.com", "paid"),
        ({"fbclid": "1"}, "l.facebook.com", "organic_social"),
        ({"fbclid": "1", "utm_medium": "paid"}, "l.facebook.com", "paid"),
        ({"fbclid": "1"}, "", "direct"),
    ],
)
def test_the_first_rule_that_fits_names_the_channel(
    query: dict[str, str], host: str, expected: Channel
) -> None:
    assert channel(SOURCES, query, host) == expected


@pytest.mark.parametrize(
    "host",
    [
        "chatgpt.com",
        "chat.openai.com",
        "claude.ai",
        "www.perplexity.ai",
        "gemini.google.com",
        "copilot.microsoft.com",
        "chat.deepseek.com",
        "docs.google.com",
    ],
)
def test_an_assistant_is_a_referral_also_under_a_search_engine(host: str) -> None:
    assert channel(SOURCES, {}, host) == "referral"


@pytest.mark.parametrize(
    "host", ["microsoft.com", "notgoogle.com", "google.com.evil.example"]
)
def test_a_host_is_matched_by_whole_names_only(host: str) -> None:
    assert channel(SOURCES, {}, host) == "referral"


def test_the_files_are_read_with_own_entries_first(tmp_path: Path) -> None:
    (tmp_path / "hosts.tsv").write_text(
        "# published\norganic_search\tfind.example\norganic_search\tshop.example\n"
    )
    (tmp_path / "hosts-own.tsv").write_text("# own\n\nreferral\tshop.example\n")
    (tmp_path / "campaign.tsv").write_text(
        "click_id\tadid\npaid\tcpc\npaid\tpaid*\nemail\temail\n"
    )

    assert load_sources(tmp_path) == Sources(
        hosts={"find.example": "organic_search", "shop.example": "referral"},
        media={"cpc": "paid", "email": "email"},
        media_starts=(("paid", "paid"),),
        click_ids=frozenset({"adid"}),
    )


def test_no_entry_claims_everybodys_sites() -> None:
    suffixes = PublicSuffixList()

    assert [h for h in SOURCES.hosts if suffixes.publicsuffix(h) == h] == []


def test_every_entry_is_written_as_hosts_are_compared() -> None:
    assert [h for h in SOURCES.hosts if h != h.strip().lower() or "/" in h] == []
