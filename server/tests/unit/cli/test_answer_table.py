from __future__ import annotations

from clamp_server.cli.answer_table import AnswerTable, answer_tables


def test_a_list_is_one_table_and_an_empty_one_none() -> None:
    rows = [
        {"name": "a", "n": 1234, "rate": 0.5, "inner": {"x": None}},
        {"name": "b", "n": 2, "is_on": True, "names": ["p", "q"]},
    ]

    assert [answer_tables(rows), answer_tables([])] == [
        [
            AnswerTable(
                "",
                ["name", "n", "rate", "inner.x", "is_on", "names"],
                [
                    {
                        "name": "a",
                        "n": "1,234",
                        "rate": "0.5",
                        "inner.x": "-",
                        "is_on": "",
                        "names": "",
                    },
                    {
                        "name": "b",
                        "n": "2",
                        "rate": "",
                        "inner.x": "",
                        "is_on": "yes",
                        "names": "p, q",
                    },
                ],
            )
        ],
        [],
    ]


def test_figures_come_first_and_lists_under_their_names() -> None:
    answer = {"period": "7d", "a": {"rows": [{"n": 1}], "none": []}, "handled": False}

    assert answer_tables(answer) == [
        AnswerTable(
            "",
            ["name", "value"],
            [
                {"name": "period", "value": "7d"},
                {"name": "handled", "value": "no"},
            ],
        ),
        AnswerTable("a.rows", ["n"], [{"n": "1"}]),
    ]


def test_lists_within_the_rows_of_a_list_are_left_out() -> None:
    types = [{"type": "string"}]
    answer = {"events": [{"name": "a", "properties": {"plan": types}}]}

    assert answer_tables(answer)[1:] == [
        AnswerTable("events", ["name"], [{"name": "a"}])
    ]
