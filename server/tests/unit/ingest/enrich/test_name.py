import pytest

from clamp_server.ingest.enrich.name import stored_name


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("pageview", "$pageview"),
        ("pageview_end", "$pageview_end"),
        ("web_vital", "$web_vital"),
        ("section_viewed", "$section_viewed"),
        ("$pageview", "$pageview"),
        ("Pageview", "Pageview"),
        ("signup", "signup"),
    ],
)
def test_a_browsers_four_old_names_get_their_dollar(sent: str, stored: str) -> None:
    assert stored_name(sent, "browser") == stored


def test_a_servers_pageview_is_its_own_event() -> None:
    assert stored_name("pageview", "server") == "pageview"
