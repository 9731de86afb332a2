from collections import Counter

from clamp_server.ingest.counts import CommitTimes, Counts, Outcome, Rejection


def test_what_was_sent_is_what_became_of_it() -> None:
    counts = Counts()

    counts.settle("/e", 1, Outcome(accepted=1, duplicates=0))
    counts.settle(
        "/e/batch",
        5,
        Outcome(
            accepted=2,
            duplicates=1,
            rejected=(
                Rejection(1, "over_limit", "too long"),
                Rejection(4, "over_limit", "too long"),
            ),
        ),
    )
    counts.refuse("/e/batch", 7, "rate_limited")

    assert counts == Counts(
        received=Counter({"/e": 1, "/e/batch": 12}),
        accepted=Counter({"/e": 1, "/e/batch": 2}),
        duplicates=Counter({"/e": 0, "/e/batch": 1}),
        rejected=Counter({"over_limit": 2, "rate_limited": 7}),
    )


def test_a_commit_is_counted_up_to_its_bound() -> None:
    times = CommitTimes()

    for seconds in (0.001, 0.002, 0.003, 11.0):
        times.add(seconds)

    assert times == CommitTimes([2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], 11.006)
