from __future__ import annotations

from decimal import Decimal

import duckdb
import pytest
from tests.make import event
from tests.store.test_event_columns import EVERYTHING

from clamp_server.model.event import EnrichedEvent, Properties
from clamp_server.model.money import Money
from clamp_server.store.event_batch import EventBatch, UnstorableError, event_batch
from clamp_server.store.event_columns import event_columns


def priced(amount: str) -> EnrichedEvent:
    money = {"total": Money(Decimal(amount), "USD")}
    return event(properties=Properties(money=money))


def read(batch: EventBatch) -> dict[str, list[object]]:
    """Read the cells of every column as DuckDB does."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("incoming", batch.rows)
        rows = connection.execute("FROM incoming")
        names = [name for name, *_ in rows.description]
        cells = rows.fetchall()
    return {name: [row[at] for row in cells] for at, name in enumerate(names)}


@pytest.mark.parametrize(
    "events",
    [[EVERYTHING, event()], [EVERYTHING] * 3, [event(), EVERYTHING, event()], []],
    ids=["differ", "all alike", "ends alike", "none"],
)
def test_a_batch_has_the_cells_of_its_columns(events: list[EnrichedEvent]) -> None:
    seqs = list(range(7, 7 + len(events)))

    batch = event_batch(events, seqs)

    expected = {name: list(v) for name, v in event_columns(events, seqs).items()}
    for name in ("occurred_at", "received_at"):
        expected[name] = [at.replace(tzinfo=None) for at in expected[name]]
    assert (batch.seqs, read(batch)) == (seqs, expected)


def test_any_text_is_a_cell() -> None:
    names = ["", "a\0b", "stra\u00dfe", "\u65e5\u672c \U0001f600"]

    batch = event_batch([event(name) for name in names], [1, 2, 3, 4])

    assert read(batch)["name"] == names


def test_the_largest_and_the_finest_amount_fit() -> None:
    amounts = ["999999999999999.999999999999999999", "-0.000000000000000001", "1e2"]

    batch = event_batch([priced(amount) for amount in amounts], [1, 2, 3])

    assert read(batch)["money_amounts"] == [
        {"total": Decimal(amount)} for amount in amounts
    ]


@pytest.mark.parametrize(
    ("unstorable", "message"),
    [
        pytest.param(
            event(screen_width=2**31),
            "screen_width: signed integer is greater than maximum",
            id="a size beyond 32 bits",
        ),
        pytest.param(
            event("\ud800"),
            "name: 'utf-8' codec can't encode character '\\ud800' in position 0:"
            " surrogates not allowed",
            id="half of a surrogate pair",
        ),
        pytest.param(
            priced("0.0000000000000000001"),
            "money_amounts: 1E-19 has over 18 decimals or 20 digits before",
            id="19 decimals",
        ),
        pytest.param(
            priced("1e30"),
            "money_amounts: 1E+30 has over 18 decimals or 20 digits before",
            id="an amount of 31 digits",
        ),
        pytest.param(
            event(user_id=5),
            "user_id: bad argument type for built-in operation",
            id="a number for a text",
        ),
    ],
)
def test_a_value_that_fits_no_column_is_named(
    unstorable: EnrichedEvent, message: str
) -> None:
    for neighbour in (event(), unstorable):
        with pytest.raises(UnstorableError) as refusal:
            event_batch([neighbour, unstorable], [1, 2])

        assert str(refusal.value) == message


def test_what_comes_after_a_seq_is_left_of_a_batch() -> None:
    batch = event_batch([event("one"), event("two"), event("three")], [3, 5, 9])

    after = [batch.after(seq) for seq in (2, 3, 8, 9)]

    assert [(list(left.seqs), read(left)["name"]) for left in after] == [
        ([3, 5, 9], ["one", "two", "three"]),
        ([5, 9], ["two", "three"]),
        ([9], ["three"]),
        ([], []),
    ]
