from __future__ import annotations

import pytest
from tests.conftest import FilledStore
from tests.make import event

from clamp_server.store.sql import Sql
from clamp_server.store.visitor_sql import visitor_key


# A number of each half of those there are, and bytes that are no letters.
@pytest.mark.parametrize("anonymous_id", ["ann", "aid_1", "\u00fc\U0001f600", "a\x00b"])
def test_a_visitor_is_found_by_the_number_of_its_id(
    store: FilledStore, anonymous_id: str
) -> None:
    store.add(event(anonymous_id=anonymous_id), event(anonymous_id="another"))

    found = store.rows(
        Sql(
            "SELECT anonymous_id FROM events WHERE visitor_key = $visitor_key",
            {"visitor_key": visitor_key(anonymous_id)},
        )
    )

    assert found == [{"anonymous_id": anonymous_id}]
