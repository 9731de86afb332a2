from __future__ import annotations

from decimal import Decimal

import pytest
from tests.make import event
from tests.store.test_event_columns import EVERYTHING

from clamp_server.model.event import EnrichedEvent, Properties
from clamp_server.model.money import Money
from clamp_server.store.event_batch import UnstorableError, event_batch
from clamp_server.store.event_columns import event_columns


def priced(amount: str) -> EnrichedEvent:
    money = {"total": Money(Decimal(amount), "USD")}
    return event(properties=Properties(money=money))


@pytest.mark.parametrize(
    "events",
    [[EVERYTHING, event()], [EVERYTHING] * 3, [event(), EVERYTHING, event()], []],
    ids=["differ", "all alike", "ends alike", "none"],
)
def test_a_batch_has_the_cells_of_its_columns(events: list[EnrichedEvent]) -> None:
    seqs = list(range(7, 7 + len(events)))

    batch = event_batch(events, seqs)

    maps = ["strings", "numbers", "booleans", "money_amounts", "money_currencies"]
    instants = ["occurred_at", "received_at"]
    expected = {name: list(v) for name, v in event_columns(events, seqs).items()}
    for name in maps:
        expected[name] = [list(cell.items()) for cell in expected[name]]
    for name in instants:
        expected[name] = [at.replace(tzinfo=None) for at in expected[name]]
    assert (batch.seqs, batch.rows.to_pydict()) == (seqs, expected)


def test_the_largest_and_the_finest_amount_fit() -> None:
    amounts = ["999999999999999.999999999999999999", "-0.000000000000000001"]

    batch = event_batch([priced(amount) for amount in amounts], [1, 2])

    assert [
        dict(cell)["total"] for cell in batch.rows["money_amounts"].to_pylist()
    ] == [Decimal(amount) for amount in amounts]


@pytest.mark.parametrize(
    "unstorable",
    [
        pytest.param(event(screen_width=2**31), id="a size beyond 32 bits"),
        pytest.param(event("\ud800"), id="half of a surrogate pair"),
        pytest.param(priced("0.0000000000000000001"), id="19 decimals"),
        pytest.param(priced("1e30"), id="an amount of 31 digits"),
        pytest.param(event(user_id=5), id="a number for a text"),
    ],
)
def test_a_value_that_fits_no_column_is_named(unstorable: EnrichedEvent) -> None:
    for neighbour in (event(), unstorable):
        with pytest.raises(UnstorableError):
            event_batch([neighbour, unstorable], [1, 2])
