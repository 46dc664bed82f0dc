"""``bottool server mail-test``: whether the settings of mail are right, before anybody needs them."""

from pathlib import Path
from typing import Any

from click.testing import CliRunner

from bottool.cli.main import make_root
from bottool_web.settings import FILE_NAME


def tried(data: Path, to: str = "ana@acme.example") -> Any:
    return CliRunner().invoke(make_root(), ["server", "mail-test", "--data", str(data), "--to", to])


def write(data: Path, port: int) -> None:
    (data / FILE_NAME).write_text(f'smtp_host = "127.0.0.1"\nsmtp_port = {port}\nsmtp_tls = "none"\n')


def test_one_mail_goes_out(tmp_path: Path, start_mail: Any, mailbox: Any) -> None:
    write(tmp_path, start_mail().port)

    said = tried(tmp_path)

    assert said.exit_code == 0, said.output
    assert mailbox.recipients == ["ana@acme.example"]


def test_what_the_mail_server_refuses_is_said(tmp_path: Path, start_mail: Any, mailbox: Any) -> None:
    write(tmp_path, start_mail().port)
    mailbox.to["ana@acme.example"] = "550 no such mailbox"

    said = tried(tmp_path)

    assert said.exit_code != 0
    assert "550 no such mailbox" in str(said.exception) + said.output


def test_a_site_without_a_mail_server_says_what_to_set(tmp_path: Path) -> None:
    said = tried(tmp_path)

    assert said.exit_code != 0
    assert "smtp_host" in str(getattr(said.exception, "hint", "")) + said.output
