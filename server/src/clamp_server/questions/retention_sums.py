"""The sums that `revenue.retention` is made of, as SQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import LiteralString

from clamp_server.model.period import Period
from clamp_server.model.scope import Scope
from clamp_server.questions.retention_params import RetentionParams
from clamp_server.store.payment_sql import agreements, sum_where
from clamp_server.store.person_sql import with_person
from clamp_server.store.property_sql import property_sql
from clamp_server.store.scope_sql import scoped
from clamp_server.store.sql import Dialect, Sql, Value


@dataclass(frozen=True, slots=True)
class WindowColumns:
    """The columns of one window; sums of money are of its mature members.

    Attributes:
        mature: How many members are.
        retained: How many of them have an MRR above 0 at the window's end.
        mrr: Their MRR at its end.
        baseline: Their MRR at their beginning.
    """

    mature: LiteralString
    retained: LiteralString
    mrr: LiteralString
    baseline: LiteralString


def window_columns(number: int) -> WindowColumns:
    """Return the names of the columns of a window, counted from 0."""
    name = _name(number)
    return WindowColumns(
        f"mature_{name}", f"retained_{name}", f"mrr_{name}", f"baseline_{name}"
    )


def select_retention(params: RetentionParams, dialect: Dialect) -> Sql:
    """Write the SQL of the sums: a row a `currency` of members.

    A member's is the first that a change of its MRR names; empty where none does. It
    has the count of such `members`, their MRR at their beginning as `baseline`, and
    the `window_columns` of each window.
    """
    since = scoped(_ever_since(params))
    member = _members(params, since.text, dialect)
    agreement = agreements(since, dialect)
    names: list[LiteralString] = [
        _name(number) for number in range(len(params.windows_days))
    ]
    text: LiteralString = f"""
        WITH member AS ({member.text}),
        agreed AS ({_since_the_anchor(agreement.text)}),
        named AS (
            SELECT person, argMin(currency, (age_ms, currency)) AS currency
            FROM agreed WHERE currency <> ''
            GROUP BY person
        ),
        figure AS ({_figures(names)})
        SELECT coalesce(figure.currency, '') AS currency, count(*) AS members,
               {sum_where("figure.at_first", "true")} AS baseline,
               {", ".join(map(_of_window, range(len(names))))}
        FROM member LEFT JOIN figure ON member.person = figure.person
        GROUP BY coalesce(figure.currency, '')
    """
    windows = _windows(params)
    return Sql(text, {**agreement.values, **member.values, **windows})


def _name(number: int) -> LiteralString:
    # A number in a name would not be literal text.
    return "x" * (number + 1)


def _windows(params: RetentionParams) -> dict[str, Value]:
    """Return how long each window is, and who is mature: begun by when."""
    values: dict[str, Value] = {}
    for number, days in enumerate(params.windows_days):
        window = timedelta(days)
        values[f"length_{_name(number)}"] = window // timedelta(milliseconds=1)
        values[f"begun_{_name(number)}"] = params.now - window
    return values


def _ever_since(params: RetentionParams) -> Scope:
    """Return the scope from the cohort's first moment until now."""
    period = params.scope.period
    # Whole milliseconds, and the one that `now` is in is the last.
    end = max(period.end, params.now + timedelta(milliseconds=1))
    return Scope(
        project_id=params.scope.project_id, period=Period("", period.start, end)
    )


def _members(params: RetentionParams, events: LiteralString, dialect: Dialect) -> Sql:
    """Write the SELECT of each `person` of the cohort and its beginning, `anchor`."""
    values: dict[str, Value] = {
        "cohort_event": params.event,
        "cohort_end": params.scope.period.end,
    }
    condition: LiteralString = "name = $cohort_event AND occurred_at < $cohort_end"
    if params.match is not None:
        key, values["wanted"] = params.match
        found = property_sql(key, "string", "wanted_key", dialect)
        condition += f" AND {found.present} AND {found.value} = $wanted"
        values |= found.values
    began: LiteralString = f"SELECT * FROM ({events}) AS event WHERE {condition}"
    text: LiteralString = f"""
        SELECT person, min(occurred_at) AS anchor
        FROM ({with_person(began, ("occurred_at",))}) AS began
        WHERE person IS NOT NULL
        GROUP BY person
    """
    return Sql(text, values)


def _since_the_anchor(agreements: LiteralString) -> LiteralString:
    """Write the SELECT of what members agreed to, and how long after they began."""
    return f"""
        SELECT person, age_ms, currency, delta
        FROM (
            SELECT agreement.person AS person, currency, delta,
                   date_diff('millisecond', anchor, occurred_at) AS age_ms
            FROM ({agreements}) AS agreement
            JOIN member ON agreement.person = member.person
        ) AS aged
        WHERE age_ms >= 0
    """


def _figures(names: list[LiteralString]) -> LiteralString:
    """Write the SELECT of the MRR of each who agreed to any, in their own currency."""
    sums = ", ".join(
        f"{sum_where('delta', f'age_ms <= $length_{name}')} AS at_{name}"
        for name in names
    )
    return f"""
        SELECT agreed.person AS person, max(named.currency) AS currency,
               {sum_where("delta", "age_ms = 0")} AS at_first, {sums}
        FROM agreed LEFT JOIN named ON agreed.person = named.person
        WHERE agreed.currency = '' OR agreed.currency = named.currency
        GROUP BY agreed.person
    """


def _of_window(number: int) -> LiteralString:
    """Write the `window_columns` of one window."""
    name, column = _name(number), window_columns(number)
    is_mature: LiteralString = f"anchor <= $begun_{name}"
    return f"""
        count(*) FILTER (WHERE {is_mature}) AS {column.mature},
        count(*) FILTER (WHERE {is_mature} AND figure.at_{name} > 0)
            AS {column.retained},
        {sum_where(f"figure.at_{name}", is_mature)} AS {column.mrr},
        {sum_where("figure.at_first", is_mature)} AS {column.baseline}
    """
