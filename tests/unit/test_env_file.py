"""A `.env` file is taken as it stands, and what cannot be read of it is told by file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.cli.main import run
from app.errors import SettingsError
from app.settings import Settings, environment, load, log_format, unknown


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path(".env")


def read(file: Path, content: str | bytes) -> Settings:
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return load({}, file)


def refusals(file: Path, content: str | bytes) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as raised:
        read(file, content)
    return raised.value.problems


@pytest.mark.parametrize(
    "content",
    [
        "LADDER_APP_ID=shop",
        "\ufeffLADDER_APP_ID=shop\n",
        "# café\r\nexport LADDER_APP_ID = 'shop'\r\nOTHER",
        'LADDER_APP_ID="shop" # why',
        "OTHER=${X}\nOTHER_TOO='\nLADDER_APP_ID=shop",
    ],
)
def test_the_usual_ways_of_writing_it_are_read(file: Path, content: str) -> None:
    assert read(file, content).app_id == "shop"


def test_a_byte_that_is_no_utf_8_is_told_by_line_and_with_the_way_out(file: Path) -> None:
    (told,) = refusals(file, "# quán\n\nLADDER_APP_ID=café\n".encode("latin-1"))
    assert told == ".env, line 1: the byte 0xE1 is no UTF-8; save the file as UTF-8"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_in_utf_16_is_told_as_such(file: Path, encoding: str) -> None:
    (told,) = refusals(file, "LADDER_APP_ID=shop\r\n".encode(encoding))
    assert told == ".env, line 1: this is UTF-16; save the file as UTF-8"


def test_what_is_wrong_with_the_file_is_told_with_all_else_that_is_wrong(file: Path) -> None:
    told = refusals(file, b"LADDER_CLOCK=sundial\nLADDER_API_TOKEN='\xe9'\nLADDER_PARTITIONS\n")
    assert [problem.split(": ")[0].split(" must")[0] for problem in told] == [
        ".env, line 2",
        ".env, line 3",
        "LADDER_CLOCK",
    ]


@pytest.mark.parametrize("written", ["a${X}b", "${HOME}", '"a${X:-y}"', "${X"])
def test_nothing_is_put_in_for_a_variable_and_a_value_that_asks_for_it_is_refused(
    file: Path, written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("X", "from elsewhere")
    (told,) = refusals(file, f"LADDER_APP_ID=shop\nLADDER_SASL_PASSWORD={written}\n")
    assert told == (
        ".env, line 2: LADDER_SASL_PASSWORD has ${, and nothing is put in for a variable here; "
        "write the value in single quotes to have it as it stands"
    )


@pytest.mark.parametrize(
    ("written", "password"),
    [
        ("'a${X}b'", "a${X}b"),
        ("  'a${X}b' # why", "a${X}b"),
        ("a$X", "a$X"),
        ("$(id)", "$(id)"),
        ("'it\\'s'", "it's"),
    ],
)
def test_a_password_is_what_stands_there(
    file: Path, written: str, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("X", "from elsewhere")
    assert read(file, f"LADDER_SASL_PASSWORD={written}").sasl_password == password


@pytest.mark.parametrize(
    "line", ["LADDER_SASL_PASSWORD='no end", 'LADDER_SASL_PASSWORD="a" b', "LADDER_SASL_PASSWORD"]
)
def test_a_line_of_ours_that_says_nothing_is_refused_and_not_passed_over(
    file: Path, line: str
) -> None:
    (told,) = refusals(file, f"OTHER=1\n\n{line}\nLADDER_APP_ID=shop\n")
    assert told.startswith(".env, line 3: ")
    assert "LADDER_NAME=value" in told
    assert "no end" not in told, "it may be a secret"


def test_lines_of_others_are_no_business_of_ours(file: Path) -> None:
    assert read(file, "OTHER='no end\nsource x\nLADDER_APP_ID=shop\n").app_id == "shop"


def test_a_file_that_cannot_be_read_is_told(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    file.touch()
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(SettingsError, match=r"\.env: cannot be read: Permission denied"):
        load({}, file)


def test_a_folder_of_that_name_is_left_alone(file: Path) -> None:
    file.mkdir()
    assert load({}, file) == load({}, None)


def test_a_value_of_the_environment_that_is_no_text_is_refused() -> None:
    with pytest.raises(SettingsError) as raised:
        load({"LADDER_SASL_PASSWORD": "caf\udce9"}, None)
    (told,) = raised.value.problems
    assert told == "LADDER_SASL_PASSWORD must be UTF-8"


def test_whoever_asks_for_the_variables_alone_is_told_too(file: Path) -> None:
    file.write_bytes(b"LADDER_APP_ID=\xe9")
    for ask in (environment, unknown):
        with pytest.raises(SettingsError):
            ask({}, file)


@pytest.mark.parametrize(
    ("env", "content", "form"),
    [
        ({}, b"", "console"),
        ({}, b"LADDER_LOG_FORMAT=JSON", "json"),
        ({"LADDER_LOG_FORMAT": "console"}, b"LADDER_LOG_FORMAT=json", "console"),
        ({"LADDER_LOG_FORMAT": " "}, b"LADDER_LOG_FORMAT=json", "json"),
        ({}, b"LADDER_LOG_FORMAT=json\nLADDER_APP_ID=\xe9\nLADDER_PARTITIONS=x\n", "json"),
        ({"LADDER_LOG_FORMAT": "json"}, b"\xe9", "json"),
        ({"LADDER_LOG_FORMAT": "xml"}, b"", "console"),
    ],
)
def test_the_form_of_the_log_is_known_whatever_else_is_wrong(
    file: Path, env: dict[str, str], content: bytes, form: str
) -> None:
    file.write_bytes(content)
    assert log_format(env, file) == form


@pytest.mark.parametrize("command", [["config"], ["demo", "--brokers", "127.0.0.1:1"]])
def test_a_command_says_it_in_one_message(
    command: list[str], file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_bytes("# quán".encode("latin-1"))
    assert run(command) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "  .env, line 1: the byte 0xE1 is no UTF-8; save the file as UTF-8" in err
