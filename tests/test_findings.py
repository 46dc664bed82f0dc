"""What core finds in the files of any bot: never a secret's value, and few false alarms."""

import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from bottool.findings import MOST_PER_CODE, collapsed, problems_of
from bottool.model import Problem, Severity
from bottool.project import find
from bottool.testing import Notes, plugins_with

PLUGINS = plugins_with(Notes())

# In two halves, so that nobody's scanner takes this file for a leak.
PASSWORD = "Xk29" + "!abQ"
SECRETS = {
    "an AWS access key": "AKIA" + "ABCDEFGHIJKLMNOP",
    "a GitHub token": "ghp_" + "a1B2" * 10,
    "a Slack token": "xoxb-" + "1234567890-abcdefghij",
    "a Google API key": "AIza" + "Sy_-7" * 7,
    "a Telegram bot token": "123456789:AA" + "b" * 33,
    "a private key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "a signed token (JWT)": "eyJhbGciOiJIUzI1" + ".eyJzdWIiOiIxMjM0" + ".SflKxwRJSMeKKF2",
    "a password in an address": "postgres://app:" + PASSWORD.replace("!", "") + "@db.example/x",
    "a password in a connection string": '"Server=db;UID=sa;PWD=' + PASSWORD + ';"',
}


@pytest.fixture
def found(tmp_path: Path) -> Callable[..., list[Problem]]:
    """The findings of a bot with these files beside its own."""

    def look(files: "dict[str, str | bytes]") -> list[Problem]:
        for name, content in {"bot.note": "hello\n", **files}.items():
            path = tmp_path / "bot" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return problems_of(PLUGINS, find(tmp_path / "bot", PLUGINS))

    return look


def places(problems: list[Problem]) -> list[tuple[str, str, int | None]]:
    return [(each.code, each.path, each.line) for each in problems]


@pytest.mark.parametrize("what", SECRETS)
@pytest.mark.parametrize("name", ["src/bot.py", "app.properties", "Notes.MD"])
def test_a_key_of_known_shape_is_found_by_line_and_its_value_is_shown_nowhere(found, what, name):
    if name == "Notes.MD" and "connection" in what:
        pytest.skip("prose is read for keys that are known by their shape alone")

    problems = found({name: f"first\n# key\nx = {SECRETS[what]}\n"})

    assert places(problems) == [("secret_in_code", name, 3)]
    assert what in problems[0].message
    assert SECRETS[what].strip('"') not in str(asdict(problems[0]))
    assert PASSWORD not in str(asdict(problems[0]))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (".npmrc", "//registry.example/:_authToken=0a1b2c3d-4e5f-6789\n"),
        ("web/.npmrc", "//registry.example/:_password = " + "c2VjcmV0MTIz\n"),
        (".pypirc", f"[one]\npassword = {PASSWORD}\n"),
        ("id_ed25519", SECRETS["a private key"] + "\n"),
        ("certs/client.key", SECRETS["a private key"] + "\n"),
    ],
)
def test_secrets_are_found_in_files_without_a_usual_ending(found, name, content):
    assert {(each.code, each.path) for each in found({name: content})} == {("secret_in_code", name)}


def test_a_registrys_login_that_the_machine_knows_is_no_secret(found):
    assert found({".npmrc": "//registry.example/:_authToken=${NPM_TOKEN}\n"}) == []


@pytest.mark.parametrize(
    "line",
    [
        f'password = "{PASSWORD}"',
        f"SENHA_SAP = '{PASSWORD}'",
        f'    "apiKey": "{PASSWORD}",',
        f'String pwd = "{PASSWORD}";',
        f'conn.setPassword("{PASSWORD}");',
        f"const token: string = `{PASSWORD}`",
        f'login(email="a@b.example", password="{PASSWORD}")',
        'email.login(password="abcd ' + 'efgh ijkl mnop")',
        f'# password = "{PASSWORD}"',
    ],
)
def test_a_literal_password_is_found(found, line):
    problems = found({"bot.py": f"{line}\n"})

    assert places(problems) == [("secret_in_code", "bot.py", 1)]
    assert PASSWORD not in str(problems)


def test_a_bare_password_is_found_in_configuration_only(found):
    line = f"db.password={PASSWORD}\r\n"

    assert places(found({"a.properties": line, "b.py": line})) == [("secret_in_code", "a.properties", 1)]


@pytest.mark.parametrize(
    "line",
    [
        'password = ""',
        'password = "password"',
        'senha = "changeme"',
        'senha = "Senha123"',
        'pwd = "<your key>"',
        'token = "{{ token }}"',
        'token = "${TOKEN1}"',
        'password = os.environ["DB_PASSWORD1"]',
        'password = os.getenv("PASSWORD1")',
        'token = maestro.get_credential("sap", "token1")',
        'PASSWORD_FIELD = "user-pw1"',
        'password_xpath = "//input[@id=1]"',
        'input_password = "#pwd1"',
        'bot.find("password", "Senha do usuário 1")',
        'token_url = "https://auth.example/v1/token"',
        'message = "wrong password: try 1 more"',
        'print("password: " + str(1))',
        'password = "secret_sauce"',
        'tokenizer = "bert-1"',
        'if password == "x1": pass',
        '"postgres://postgres:postgres@localhost/db"',
    ],
)
def test_what_is_no_secret_is_not_reported(found, line):
    assert found({"bot.py": f"{line}\n"}) == []


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (r'path = r"C:\Users\ana\planilha.xlsx"', "absolute_path"),
        (r'path = "C:\\Users\\ana\\planilha.xlsx"', "absolute_path"),
        ('open("D:/dados/planilha.xlsx")', "absolute_path"),
        ("open('/home/user/dados.csv')", "absolute_path"),
        (r'driver = r"C:\Program Files\x\chrome"', "windows_only"),
        (r'bot.execute(r"D:\apps\sap.exe")', "windows_only"),
    ],
)
@pytest.mark.parametrize("name", ["bot.py", "src/Bot.java", "a/b.ts"])
def test_paths_of_one_machine_are_found_in_code_of_any_language(found, line, code, name):
    assert places(found({name: f"x\n{line}\n"})) == [(code, name, 2)]


@pytest.mark.parametrize(
    "line",
    [
        r'# path = r"C:\Users\ana\x.xlsx"',
        r'  // "C:\\Users\\ana"',
        'url = "https://example/home/user/x"',
        'print("Nome:\\n")',
        'x = {"a:\\n": 1}',
        'f"{i}:\\t{x}"',
        "Path.home() / 'x'",
    ],
)
def test_comments_addresses_and_line_ends_are_no_paths(found, line):
    assert found({"bot.py": f"{line}\n"}) == []


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "latin-1", "cp1252"])
def test_sources_are_read_in_any_encoding(found, encoding):
    text = f'# ação\r\npassword = "{PASSWORD}"\r\n'

    assert places(found({"bot.py": text.encode(encoding)})) == [("secret_in_code", "bot.py", 2)]


@pytest.mark.parametrize("data", [b"\0\1\2" * 50, b"\xff\xfe\0", b"\xff\xfe", b"\xef\xbb\xbf", b"", b"\x80" * 99])
def test_bytes_that_are_no_text_do_no_harm(found, data):
    assert found({"bot.py": data}) == []


def test_a_long_line_costs_no_time(found):
    assert found({"bot.js": "a:b='" * 60_000, "bot.json": '{"token": ' * 30_000, "bot.py": "x.y_" * 90_000}) == []


def test_big_files_are_one_finding_with_the_biggest_named(found):
    files = {f"data/{number:02}.bin": b"x" * (1_000_001 + number) for number in range(12)}

    problems = found(files)

    assert places(problems) == [("big_file", "data/11.bin", None)]
    assert problems[0].message.startswith("12 files are larger than 1 MB, 12.0 MB in all: data/11.bin (1.0 MB), ")
    assert problems[0].message.endswith("and 2 more")


def test_programs_of_windows_are_one_finding(found):
    problems = found({"geckodriver.exe": b"MZ", "lib/a.dll": b"MZ"})

    assert places(problems) == [("windows_only", "geckodriver.exe", None)]
    assert "'geckodriver.exe' and 1 more" in problems[0].message


def test_a_dotenv_is_left_out_and_only_its_names_are_told(found):
    problems = found({".env": f"LOGIN=ana\n# X=1\nexport SENHA={PASSWORD}\n", "inner/.env": ""})

    assert places(problems) == [("dotenv_left_out", ".env", None), ("dotenv_left_out", "inner/.env", None)]
    assert problems[0].hint.endswith(": LOGIN, SENHA")
    assert PASSWORD not in str(problems)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_one_line(found, tmp_path):
    found({"secret.py": "x"})
    (tmp_path / "bot/secret.py").chmod(0)

    assert places(found({})) == [("unreadable_file", "secret.py", None)]


def test_what_is_excluded_or_installed_is_not_looked_at(found):
    line = f'password = "{PASSWORD}"\n'

    assert (
        found(
            {
                "bot.toml": 'exclude = ["old"]\n',
                "old/x.py": line,
                "node_modules/x.js": line,
                "v/pyvenv.cfg": "",
                "v/x.py": line,
            }
        )
        == []
    )


def test_of_one_code_the_first_20_are_shown_and_the_others_counted(found):
    lines = "".join(f'a{number} = r"C:\\Users\\ana\\{number}.txt"\n' for number in range(64))

    problems = found({"bot.py": lines})

    assert len(problems) == MOST_PER_CODE + 1
    assert [each.line for each in problems[:3]] == [1, 2, 3]
    assert problems[-1].message == "and 44 more of the kind 'absolute_path'"


def test_errors_come_first_and_are_counted_by_themselves():
    warnings = [Problem(severity=Severity.WARNING, code="x", message=str(number)) for number in range(21)]
    errors = [Problem(severity=Severity.ERROR, code="x", message="e")]

    assert [each.message for each in collapsed([*errors, *warnings])][-2:] == ["19", "and 1 more of the kind 'x'"]
