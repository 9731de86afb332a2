import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clamp_server.ingest.enrich.message import LONGEST_MESSAGE_CHARS, normalised


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        # Numbers
        ("order 4711 failed", "order <number> failed"),
        ("can't find user 12's cart", "can't find user <number>'s cart"),
        ("timeout after 1.5s", "timeout after <number>s"),
        ("timeout after 2s", "timeout after <number>s"),
        ("99% of 1,234.56 EUR", "<number>% of <number> EUR"),
        ("at 2026-01-15 10:20:30.5+01:00", "at <number>"),
        ("from -5 to +5", "from <number> to <number>"),
        ("a=1&b=22", "a=<number>&b=<number>"),
        ("order_12 of row7", "order_<number> of row<number>"),
        ("ids [1, 2, 3] are gone", "ids [<number>] are gone"),
        # Ids
        ("550e8400-e29b-41d4-a716-446655440000 is gone", "<id> is gone"),
        ("commit 3f9a2c1b", "commit <id>"),
        ("no customer cus_9s6XKzkNRiz8i3", "no customer cus_<id>"),
        ("<Cart object at 0x7f3abc>", "<Cart object at <id>>"),
        ("9b1deb4d3b7d4bad9bdd2b0d7b3dcb6d", "<id>"),
        # Addresses
        ("connect ECONNREFUSED 10.0.0.1:5432", "connect ECONNREFUSED <ip>"),
        ("connect to fe80::1 failed", "connect to <ip> failed"),
        ("10.1.2.3.", "<ip>."),
        ("main::run at 1:2:3", "main::run at <number>"),
        ("mail to ann+shop@mail.example.com bounced", "mail to <email> bounced"),
        ("GET https://api.example/orders/7?a=b failed", "GET <url> failed"),
        # Quoted values
        ("User 'ann' not found", "User <quoted> not found"),
        ('User "ann \\"x\\" b" not found', "User <quoted> not found"),
        ("unknown option `--fast'", "unknown option <quoted>"),
        ("User \u201cann\u201d not found", "User <quoted> not found"),
        ("User \u00abann\u00bb not found", "User <quoted> not found"),
        ("'id'", "<quoted>"),
        ("Unexpected answer: '{abc", "Unexpected answer: <quoted>"),
        ("don't stop, it's fine", "don't stop, it's fine"),
        ("name 'ann' is taken", "name <quoted> is taken"),
        # Names of the code, which an interpreter quotes
        (
            "'NoneType' object has no attribute 'total'",
            "'NoneType' object has no attribute 'total'",
        ),
        ("name 'cart' is not defined", "name 'cart' is not defined"),
        (
            "local variable 'cart' where it is not associated with a value",
            "local variable 'cart' where it is not associated with a value",
        ),
        (
            "total() got an unexpected keyword argument 'tax'",
            "total() got an unexpected keyword argument 'tax'",
        ),
        (
            "Cannot read properties of undefined (reading 'price')",
            "Cannot read properties of undefined (reading 'price')",
        ),
        (
            'Cannot invoke "Cart.total()" because "<local4>" is null',
            'Cannot invoke "Cart.total()" because <quoted> is null',
        ),
        ("has no attribute 'not a name'", "has no attribute <quoted>"),
        # Paths and white space
        ("cannot open /home/ann/shop/cart.py", "cannot open cart.py"),
        (r"cannot open C:\Users\ann\cart.py", "cannot open cart.py"),
        ("one and/or two", "one and/or two"),
        ("first\n\n   second\t third ", "first second third"),
        ("", ""),
        ("日本 12 エラー", "日本 <number> エラー"),
    ],
)
def test_what_differs_between_occurrences_is_replaced(
    message: str, expected: str
) -> None:
    assert normalised(message) == expected


@pytest.mark.parametrize(
    "message",
    [
        "a" * 5000,
        "'" * 5000,
        '"\\' * 5000,
        "a-" * 5000,
        "1:" * 5000,
        "a@" * 5000,
        "/a" * 5000,
        "aA" * 5000,
        "1a" * 5000,
        "_" * 5000,
        "<number>, " * 500,
        "f:" * 5000,
    ],
)
def test_the_worst_of_texts_counts_up_to_the_limit(message: str) -> None:
    assert normalised(message) == normalised(message[:LONGEST_MESSAGE_CHARS])


@settings(deadline=None)
@given(st.text(max_size=300))
def test_every_text_comes_out_on_one_line(message: str) -> None:
    found = normalised(message)

    assert found == " ".join(found.split())
