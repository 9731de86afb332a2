from __future__ import annotations

from decimal import Decimal
from typing import Any, get_args

import pytest

from clamp_analytics import Money
from clamp_analytics._revenue import Billing, RevenueEvent, revenue_event
from clamp_analytics._wire import Event, encode_event

# The amount of a month, by what 120 pays for.
MONTHLY = {"monthly": 120.0, "annual": 10.0, "weekly": 520.0, "one_time": 0.0}
# What an event makes of the months that 120 pays, and 36 paid before.
STARTS = {"subscription_started", "subscription_resumed"}
ENDS = {"subscription_canceled", "subscription_paused"}
CHANGES = {"subscription_upgraded", "subscription_downgraded"}
STAYS = {"subscription_renewed", "purchase", "refund_issued"}
EVENTS = sorted(STARTS | ENDS | CHANGES | STAYS)


def delta(*arguments: Any, **keywords: Any) -> Any:
    """The `mrr_delta` of an event, and 0 where it has none."""
    _, properties = revenue_event(*arguments, **keywords)
    return properties.get("mrr_delta", 0)


def complaint(*arguments: Any, **keywords: Any) -> str:
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        revenue_event(*arguments, **keywords)
    return str(caught.value)


def test_the_table_below_has_every_event() -> None:
    assert sorted(get_args(RevenueEvent)) == EVENTS
    assert sorted(get_args(Billing)) == sorted(MONTHLY)


def test_a_plan_makes_a_monthly_subscription_that_starts() -> None:
    assert revenue_event(29, plan="pro") == (
        "$subscription_started",
        {
            "total": Money(29, "USD"),
            "billing_period": "monthly",
            "plan": "pro",
            "mrr_delta": 29.0,
        },
    )


def test_a_product_makes_a_purchase_that_does_not_recur() -> None:
    assert revenue_event(29.5, "EUR", product="t-shirt") == (
        "$purchase",
        {
            "total": Money(29.5, "EUR"),
            "billing_period": "one_time",
            "product": "t-shirt",
        },
    )


def test_everything_that_is_given_is_sent() -> None:
    assert revenue_event(
        Decimal("99.00"),
        "JPY",
        event="subscription_upgraded",
        plan="team",
        product="seats",
        billing="annual",
        previous_amount=Decimal("39.00"),
        subscription_id="sub_1",
    ) == (
        "$subscription_upgraded",
        {
            "total": Money(Decimal("99.00"), "JPY"),
            "billing_period": "annual",
            "plan": "team",
            "product": "seats",
            "subscription_id": "sub_1",
            "mrr_delta": 5.0,
        },
    )


def test_an_empty_text_is_not_sent() -> None:
    name, properties = revenue_event(1, plan="", product="t-shirt", subscription_id="")

    assert (name, sorted(properties)) == (
        "$purchase",
        ["billing_period", "product", "total"],
    )


@pytest.mark.parametrize(
    ("given", "name", "billing"),
    [
        ({"plan": "a"}, "$subscription_started", "monthly"),
        ({"plan": "a", "product": "b"}, "$subscription_started", "monthly"),
        ({"plan": "a", "billing": "weekly"}, "$subscription_started", "weekly"),
        ({"product": "b"}, "$purchase", "one_time"),
        ({"product": "b", "billing": "one_time"}, "$purchase", "one_time"),
        (
            {"product": "b", "plan": "a", "billing": "one_time"},
            "$purchase",
            "one_time",
        ),
        ({"event": "purchase", "product": "b"}, "$purchase", "one_time"),
        (
            {"event": "purchase", "product": "b", "plan": "a"},
            "$purchase",
            "monthly",
        ),
        ({"event": "refund_issued"}, "$refund_issued", "one_time"),
        ({"event": "refund_issued", "plan": "a"}, "$refund_issued", "monthly"),
    ],
)
def test_event_and_billing_follow_from_what_is_sold(
    given: dict[str, Any], name: str, billing: str
) -> None:
    got, properties = revenue_event(5, **given)

    assert (got, properties["billing_period"]) == (name, billing)


@pytest.mark.parametrize("event", EVENTS)
def test_a_name_may_have_its_dollar_already(event: Any) -> None:
    sold: dict[str, Any] = {"plan": "a", "product": "b", "previous_amount": 1}
    bare = revenue_event(5, **sold, event=event)
    sold["event"] = f"${event}"

    assert revenue_event(5, **sold) == bare
    assert bare[0] == f"${event}"


@pytest.mark.parametrize("billing", sorted(MONTHLY))
@pytest.mark.parametrize("event", EVENTS)
def test_mrr_delta_follows_from_event_billing_and_amounts(
    event: str, billing: str
) -> None:
    sold = {"plan": "a", "product": "b", "event": event, "billing": billing}
    month, month_before = MONTHLY[billing], MONTHLY[billing] * 36 / 120
    if event in STARTS:
        expected = (month, month)
    elif event in ENDS:
        expected = (-month, -month_before)
    elif event in CHANGES:
        expected = (month - month_before, month - month_before)
    else:
        expected = (0, 0)

    if event not in CHANGES:
        assert delta(120, **sold) == expected[0]
    assert delta(120, previous_amount=36, **sold) == expected[1]


def test_a_downgrade_is_negative() -> None:
    sold: dict[str, Any] = {"plan": "a", "event": "subscription_downgraded"}

    assert delta(10, previous_amount=29, **sold) == -19.0


def test_a_change_that_changes_nothing_has_no_mrr_delta() -> None:
    _, properties = revenue_event(
        29.0, plan="a", event="subscription_upgraded", previous_amount=Decimal(29)
    )

    assert "mrr_delta" not in properties


@pytest.mark.parametrize("event", sorted(ENDS))
def test_a_previous_amount_of_0_is_an_amount(event: str) -> None:
    assert delta(29, plan="a", event=event, previous_amount=0) == 0


@pytest.mark.parametrize("event", EVENTS)
def test_an_mrr_delta_that_is_given_wins(event: str) -> None:
    sold = {"plan": "a", "product": "b", "event": event}

    assert delta(29, mrr_delta=Decimal("-3.50"), **sold) == -3.5
    assert delta(29, mrr_delta=4, **sold) == 4.0
    assert delta(29, mrr_delta=0, **sold) == 0


@pytest.mark.parametrize(
    ("amount", "previous", "expected"),
    [
        # In binary: 0.19999999999999998 and 0.20000000000000007.
        (0.3, 0.1, 0.2),
        (1.1, 0.9, 0.2),
        (Decimal("1.1"), 0.9, 0.2),
        (1.1, Decimal("0.9"), 0.2),
        (Decimal("1.10"), Decimal("0.90"), 0.2),
        (3, Decimal("0.9"), 2.1),
        # Forty digits, where the ambient precision has 28.
        (Decimal("1234567890123456789.25"), Decimal("1234567890123456789"), 0.25),
        (
            Decimal("12345678901234567890123456789.5"),
            12345678901234567890123456789,
            0.5,
        ),
    ],
)
def test_amounts_of_any_type_are_subtracted_as_decimals(
    amount: Any, previous: Any, expected: float
) -> None:
    sold: dict[str, Any] = {"plan": "a", "event": "subscription_upgraded"}

    assert delta(amount, previous_amount=previous, **sold) == expected


def test_a_cancellation_keeps_more_digits_than_the_ambient_precision() -> None:
    paid = Decimal("1234567890123.4567890123456789012345")
    ended = delta(paid, plan="a", event="subscription_canceled")

    assert ended == -1234567890123.4568


@pytest.mark.parametrize(
    ("amount", "billing", "expected"),
    [
        (Decimal("9.99"), "monthly", "9.99"),
        (Decimal("9.99"), "weekly", "43.29"),
        (9.99, "weekly", "43.29"),
        (Decimal("348.12"), "annual", "29.01"),
        (Decimal("29.00"), "annual", "2.4166666666666665"),
        # Rounded to 18 decimals, a half to the even one.
        (Decimal("30e-18"), "annual", "2e-18"),
        (Decimal("1e-18"), "annual", "0"),
        (Decimal("1e-20"), "monthly", "0"),
    ],
)
def test_the_digits_of_mrr_delta(amount: Any, billing: str, expected: str) -> None:
    assert repr(delta(amount, plan="a", billing=billing)) == expected


def test_a_float_of_another_library_is_read_by_its_digits() -> None:
    class Float64(float):
        def __repr__(self) -> str:
            return f"np.float64({float(self)})"

    assert delta(Float64(0.3), plan="a") == 0.3


def test_the_event_has_this_form_on_the_wire() -> None:
    name, properties = revenue_event(
        Decimal("348.00"), plan="pro", billing="annual", subscription_id="sub_1"
    )

    assert encode_event("proj_a", Event(name, "2026-01-01", properties)) == (
        b'{"p":"proj_a","name":"$subscription_started","timestamp":"2026-01-01",'
        b'"properties":{"total":{"amount":348.00,"currency":"USD"},'
        b'"billing_period":"annual","plan":"pro","subscription_id":"sub_1",'
        b'"mrr_delta":29.0}}'
    )


@pytest.mark.parametrize(
    ("event", "meant"),
    [
        ("subscription_cancelled", "subscription_canceled"),
        ("subscription_cancel", "subscription_canceled"),
        ("subscription_deleted", "subscription_canceled"),
        ("subscription_ended", "subscription_canceled"),
        ("subscription_expired", "subscription_canceled"),
        ("subscription_created", "subscription_started"),
        ("subscription_start", "subscription_started"),
        ("subscription_renewal", "subscription_renewed"),
        ("subscription_upgrade", "subscription_upgraded"),
        ("subscription_downgrade", "subscription_downgraded"),
        ("Subscription Paused", "subscription_paused"),
        ("subscription-resumed", "subscription_resumed"),
        ("customer.subscription.deleted", "subscription_canceled"),
        ("customer.subscription.paused", "subscription_paused"),
        ("checkout_completed", "purchase"),
        ("checkout.session.completed", "purchase"),
        ("order_completed", "purchase"),
        ("payment_succeeded", "purchase"),
        ("payment_intent.succeeded", "purchase"),
        ("charge.succeeded", "purchase"),
        ("purchased", "purchase"),
        ("$purchas", "purchase"),
        ("refund", "refund_issued"),
        ("refunded", "refund_issued"),
        ("charge.refunded", "refund_issued"),
    ],
)
def test_a_near_miss_is_told_the_right_event(event: str, meant: str) -> None:
    shown = event.removeprefix("$") if event == "$purchas" else event
    message = complaint(29, plan="a", product="b", event=event)

    assert message.startswith(f"event {shown!r} is unknown: did you mean {meant!r}? ")


def test_an_event_that_is_like_none_is_told_all() -> None:
    assert complaint(29, plan="a", event="signup") == (
        "event 'signup' is unknown: Allowed: subscription_started,"
        " subscription_renewed, subscription_upgraded, subscription_downgraded,"
        " subscription_canceled, subscription_paused, subscription_resumed,"
        " purchase, refund_issued."
    )


@pytest.mark.parametrize("event", ["", "$", "$$purchase", 5, b"purchase"])
def test_what_is_no_event_is_refused(event: Any) -> None:
    assert complaint(29, plan="a", product="b", event=event).startswith("event ")


@pytest.mark.parametrize(
    ("billing", "meant"),
    [
        ("yearly", "annual"),
        ("year", "annual"),
        ("annually", "annual"),
        ("month", "monthly"),
        ("week", "weekly"),
        ("once", "one_time"),
        ("one-time", "one_time"),
        ("onetime", "one_time"),
    ],
)
def test_a_near_miss_is_told_the_right_billing(billing: Any, meant: str) -> None:
    assert complaint(29, plan="a", billing=billing) == (
        f"billing {billing!r} is unknown: did you mean {meant!r}?"
        " Allowed: one_time, weekly, monthly, annual."
    )


@pytest.mark.parametrize("billing", ["", "refund", 1])
def test_a_billing_that_is_like_none_is_told_all(billing: Any) -> None:
    assert complaint(29, plan="a", billing=billing) == (
        f"billing {billing!r} is unknown: Allowed: one_time, weekly, monthly, annual."
    )


@pytest.mark.parametrize("event", [e for e in EVENTS if e.startswith("subscription_")])
@pytest.mark.parametrize("plan", [None, ""])
def test_a_subscription_event_needs_a_plan(event: Any, plan: str | None) -> None:
    assert complaint(29, event=event, plan=plan, product="b") == (
        f'{event} needs a plan, such as plan="pro"'
    )


@pytest.mark.parametrize(
    "given",
    [{}, {"event": "purchase", "plan": "a"}, {"billing": "one_time", "product": ""}],
)
def test_a_purchase_needs_a_product(given: dict[str, Any]) -> None:
    assert complaint(29, **given) == (
        'purchase needs a product, such as product="t-shirt";'
        ' for a subscription write plan="pro"'
    )


@pytest.mark.parametrize("event", sorted(CHANGES))
def test_a_change_needs_the_amount_before_it(event: str) -> None:
    assert complaint(29, plan="a", event=event) == (
        f"{event} needs previous_amount, what a period cost before, or mrr_delta"
    )


@pytest.mark.parametrize("argument", ["plan", "product", "subscription_id"])
def test_a_name_must_be_text(argument: str) -> None:
    given: dict[str, Any] = {"plan": "a", "product": "b", argument: 5}

    assert complaint(29, **given) == f"{argument} must be a str, not int"


@pytest.mark.parametrize("amount", ["29", None, True, float("nan"), Decimal("inf")])
def test_the_complaints_of_money_come_through(amount: Any) -> None:
    assert complaint(amount, plan="a").startswith("Money needs a finite int, float or")
    assert complaint(29, "usd", plan="a").startswith("Money needs three upper-case")


@pytest.mark.parametrize(
    "amount", ["29", True, float("nan"), float("-inf"), Decimal("sNaN"), [1]]
)
@pytest.mark.parametrize("argument", ["previous_amount", "mrr_delta"])
def test_the_other_amounts_must_be_finite_numbers(argument: str, amount: Any) -> None:
    assert complaint(29, plan="a", **{argument: amount}) == (
        f"{argument} must be a finite int, float or Decimal, not {amount!r}"
    )


@pytest.mark.parametrize("amount", [10**46, Decimal("1e46"), Decimal("1e999999999")])
def test_an_amount_that_no_sum_can_hold_is_refused(amount: Any) -> None:
    assert complaint(amount, plan="a") == (
        "amount is too large: at most 46 digits before the point"
    )
    assert complaint(29, plan="a", mrr_delta=amount).startswith(
        "mrr_delta is too large"
    )
