"""What becomes of a payment later."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

from clamp_server.demo.cast import visitor
from clamp_server.demo.happening import Payment
from clamp_server.demo.money import (
    MONTH,
    PLANS,
    REFUND_DAYS,
    aftermath,
    purchase,
    subscription,
)

START = datetime(2024, 3, 12, 12, tzinfo=UTC)
UNTIL = START + timedelta(days=200)
SOMEBODY = visitor(1, 1)
CURRENCY = SOMEBODY.place.currency
BEANS = purchase(SOMEBODY, "", START, "huila", 2)
PRO = subscription(SOMEBODY, "user_1", START, "pro")


def lives(first: Payment, until: datetime = UNTIL) -> list[list[Payment]]:
    """What two hundred dice make of a payment."""
    return [aftermath(first, until, Random(number)) for number in range(200)]


def test_two_bags_cost_twice_as_much_as_one() -> None:
    one = purchase(SOMEBODY, "", START, "huila", 1)

    assert BEANS.amount == 2 * one.amount > 0


def test_some_beans_come_back_and_the_whole_money_with_them() -> None:
    refunds = [steps for steps in lives(BEANS) if steps]

    assert 3 < len(refunds) < 40
    assert {(s.event, s.amount, s.product) for (s,) in refunds} == {
        ("refund_issued", BEANS.amount, "huila")
    }


def test_a_plan_is_paid_for_once_a_month_while_it_lasts() -> None:
    for steps in lives(PRO):
        ended_at = min(
            (s.at for s in steps if s.event == "subscription_canceled"), default=UNTIL
        )
        renewed = [s.at for s in steps if s.event == "subscription_renewed"]

        months = (ended_at - START - timedelta(microseconds=1)) // MONTH
        assert renewed == [START + n * MONTH for n in range(1, months + 1)]


def test_each_step_costs_what_the_plan_costs_by_then() -> None:
    events = set()
    for steps in lives(PRO):
        price, monthly = PRO.amount, PRO.monthly_change
        for step in steps:
            events.add(step.event)
            before, price = price, PLANS[step.plan][CURRENCY]
            monthly += step.monthly_change
            assert step.amount == price
            if step.event == "subscription_upgraded":
                assert (step.previous_amount, monthly) == (before, price)
            elif step.event == "subscription_canceled":
                assert monthly == 0
            else:
                assert step.monthly_change == Decimal(0)
    assert len(events) == 4


def test_money_goes_back_only_to_whoever_leaves_soon() -> None:
    for steps in lives(PRO):
        for earlier, refund in zip(steps, steps[1:], strict=False):
            if refund.event != "refund_issued":
                continue
            agreed = [PRO, *(s for s in steps if s.event == "subscription_upgraded")]
            assert earlier.event == "subscription_canceled"
            assert earlier.at - agreed[-1].at < timedelta(days=REFUND_DAYS)


def test_nothing_follows_within_a_day_or_after_the_plan() -> None:
    soon = START + timedelta(days=12)
    steps = [step for life in lives(PRO, soon) + lives(BEANS, soon) for step in life]

    assert min(step.at for step in steps) >= START + timedelta(days=1)
    assert max(step.at for step in steps) < soon
