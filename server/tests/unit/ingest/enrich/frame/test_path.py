import pytest

from clamp_server.ingest.enrich.frame.path import file_name, frame_text


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/srv/releases/42/shop/pay.py", "pay.py"),
        ("/app/pay.py", "pay.py"),
        ("pay.py", "pay.py"),
        (r"C:\Users\ann\shop\pay.py", "pay.py"),
        ("/app/shop/__init__.py", "shop/__init__.py"),
        ("/home/ann/orders/views.py", "orders/views.py"),
        ("/views.py", "views.py"),
        ("views.py", "views.py"),
        ("", ""),
    ],
)
def test_a_file_has_one_name_on_every_machine(path: str, expected: str) -> None:
    assert file_name(path) == expected


@pytest.mark.parametrize(
    ("file", "function", "expected"),
    [
        ("pay.py", "charge", "pay.py in charge"),
        ("pay.py", "", "pay.py"),
        ("", "charge", "charge"),
        ("", "", ""),
    ],
)
def test_a_frame_is_written_from_what_is_known(
    file: str, function: str, expected: str
) -> None:
    assert frame_text(file, function) == expected
