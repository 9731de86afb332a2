"""What `clamp demo` refuses before it starts anything."""

from pathlib import Path

import pytest

from clamp_server.cli import main


@pytest.mark.parametrize(
    ("option", "value"),
    [("--days", "0"), ("--days", "366"), ("--events", "0"), ("--events", "many")],
)
def test_nothing_is_started_for_traffic_that_cannot_be(
    option: str,
    value: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    kept = tmp_path / "kept"
    typed = ["clamp", "demo", "--once", "--data", str(kept), option, value]
    monkeypatch.setattr("sys.argv", typed)

    with pytest.raises(SystemExit) as exit_:
        main()

    assert exit_.value.code == 2
    assert f"Invalid value for '{option}'" in capsys.readouterr().err
    assert not kept.exists()
