from datetime import timedelta

from tests.surfaces.browser import Clock

from clamp_server.web.attempts import MAX_ACCOUNTS, OVERALL, PER_ACCOUNT, Attempts


def test_ten_tries_of_one_account_are_free_and_then_one_each_half_minute() -> None:
    clock = Clock()
    attempts = Attempts(clock)

    burst = [attempts.wait_s("ada") for _ in range(12)]
    clock.wait(seconds=29)
    early = attempts.wait_s("ada")
    clock.wait(seconds=1)
    later = [attempts.wait_s("ada") for _ in range(2)]

    assert burst == [0] * 10 + [30, 30]
    assert early == 1
    assert later == [0, 30]


def test_one_account_being_attacked_leaves_the_others_their_way_in() -> None:
    attempts = Attempts(Clock())

    for _ in range(1_000):
        attempts.wait_s("ada")

    assert attempts.wait_s("ben") == 0


def test_thirty_tries_of_all_accounts_are_free_and_then_one_a_second() -> None:
    clock = Clock()
    attempts = Attempts(clock)

    burst = [attempts.wait_s(f"user{n}") for n in range(31)]
    clock.wait(seconds=1)
    later = [attempts.wait_s(f"other{n}") for n in range(2)]

    assert burst == [0] * 30 + [1]
    assert later == [0, 1]


def test_a_right_password_gives_the_whole_burst_back() -> None:
    attempts = Attempts(Clock())
    for _ in range(10):
        attempts.wait_s("ada")

    attempts.forget("ada")

    assert [attempts.wait_s("ada") for _ in range(11)] == [0] * 10 + [30]


def test_pushing_an_account_out_takes_longer_than_its_burst_needs_to_come_back() -> (
    None
):
    assert MAX_ACCOUNTS * OVERALL.interval > PER_ACCOUNT.burst * PER_ACCOUNT.interval


def test_the_accounts_that_are_remembered_are_bounded() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    for _ in range(10):
        attempts.wait_s("ada")
    for n in range(MAX_ACCOUNTS):
        clock.at += timedelta(seconds=1)
        assert attempts.wait_s(f"user{n}") == 0

    # Forgotten by now: but its burst was free again long before.
    assert attempts.wait_s("ada") == 0
    assert len(attempts) == MAX_ACCOUNTS
