"""Settings come from files, too: one with settings, and one for each secret."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from bcpicture.core.credentials import ClientSecret, StaticToken
from bcpicture.errors import ConfigurationError
from bcpicture.net.settings_files import load_settings


def test_the_settings_file_names_files_beside_it(tmp_path: Path):
    (tmp_path / "secret.txt").write_text("hush\r\n")
    config = tmp_path / "bc.toml"
    config.write_text(
        "[connection]\n"
        'tenant = "contoso.com"\nenvironment = "Sandbox"\nclient_id = "app"\n'
        'client_secret_file = "secret.txt"\nca_file = "ca.pem"\n',
        encoding="utf-8-sig",
    )
    settings = load_settings(environ={"BCPICTURE_CONFIG": str(config)})
    assert settings.endpoint().tenant == "contoso.com"
    assert settings.credential() == ClientSecret(client_id="app", client_secret="hush")
    assert settings.ca_file == str(tmp_path / "ca.pem")


def test_a_path_in_a_variable_starts_at_the_working_directory(cwd: Path):
    (cwd / "token.txt").write_text("t")
    settings = load_settings(environ={"BCPICTURE_TOKEN_FILE": "token.txt"})
    assert settings.credential() == StaticToken("t")


def test_a_flag_names_another_settings_file(tmp_path: Path):
    for name in "AB":
        (tmp_path / name).write_text(f'[connection]\ncompany = "{name}"')
    flags = {"config": str(tmp_path / "A")}
    settings = load_settings(flags, {"BCPICTURE_CONFIG": str(tmp_path / "B")})
    assert settings.company == "A"


def test_a_secret_comes_from_standard_input_one_line_of_it():
    stdin = io.StringIO("t\nmore")
    settings = load_settings({"token_file": "-"}, {}, stdin)
    assert settings.credential() == StaticToken("t")
    assert stdin.read() == "more"


def test_a_library_never_reads_standard_input():
    with pytest.raises(ConfigurationError, match="only the command line reads"):
        load_settings(environ={"BCPICTURE_TOKEN_FILE": "-"})


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(None, "cannot be read: No such file or directory.", id="missing"),
        pytest.param(b"url = x", "is no TOML: Invalid value", id="not TOML"),
        pytest.param(b"\xff", "is not UTF-8 text. Save it as UTF-8.", id="not text"),
    ],
)
def test_a_settings_file_that_cannot_be_read_is_named(
    tmp_path: Path, content: bytes | None, sentence: str
):
    config = tmp_path / "bc.toml"
    if content is not None:
        config.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        load_settings({"config": config}, {})
    assert f"{config} {sentence}" in str(caught.value)


def test_a_secret_file_that_cannot_be_read_is_named(tmp_path: Path):
    with pytest.raises(ConfigurationError, match=r"The secret's file .*cannot be read"):
        load_settings({"token_file": tmp_path}, {})
