"""Finding and reading a bot's folder."""

from pathlib import Path

import pytest

from bottool.errors import PluginError, ProjectError
from bottool.discovery import survey
from bottool.project import find, find_all, twice
from bottool.testing import Notes, plugins_with


class Other(Notes):
    name = "other"
    title = "Other"
    technologies = ("OTHER",)
    looks_for = "bot.other"

    def recognises(self, folder: Path) -> bool:
        return (folder / "bot.other").is_file()

    def identify(self, folder: Path) -> tuple[str, str]:
        return "from-its-files", "7.7"


PLUGINS = plugins_with(Notes(), Other())


@pytest.fixture
def bot(tmp_path: Path):
    """Makes a folder called ``my-bot`` with these files, and returns it."""

    def make(files: dict[str, str | bytes]) -> Path:
        folder = tmp_path / "my-bot"
        folder.mkdir(exist_ok=True)
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return folder

    return make


# What is found.


def test_a_recognised_folder_gets_its_name_and_the_first_version(bot):
    project = find(bot({"bot.note": ""}), PLUGINS)

    assert (project.language, project.bot_id, project.version) == ("notes", "my-bot", "1.0.0")
    assert (project.entry, project.exclude, dict(project.options)) == ("", (), {})


def test_the_folder_is_found_from_a_relative_path(bot, monkeypatch):
    monkeypatch.chdir(bot({"bot.note": ""}))

    project = find(Path(), PLUGINS)

    assert project.folder.is_absolute()
    assert project.bot_id == "my-bot"


def test_the_projects_own_files_say_id_and_version_where_bot_toml_does_not(bot):
    project = find(bot({"bot.other": ""}), PLUGINS)

    assert (project.bot_id, project.version) == ("from-its-files", "7.7")


def test_bot_toml_says_everything(bot):
    toml = """
        id = "invoices"
        version = "2.0"
        language = "other"
        entry = "src/main.other"
        exclude = ["data/*", "*.tmp"]
        [other]
        speed = 3
        [notes]
        speed = 4
    """

    project = find(bot({"bot.toml": toml}), PLUGINS)

    assert (project.bot_id, project.version, project.language) == ("invoices", "2.0", "other")
    assert (project.entry, project.exclude) == ("src/main.other", ("data/*", "*.tmp"))
    assert dict(project.options) == {"speed": 3}


def test_what_is_said_on_the_command_line_counts_before_bot_toml(bot):
    folder = bot({"bot.toml": 'id = "a"\nversion = "1"\nlanguage = "notes"\n'})

    project = find(folder, PLUGINS, language="other", bot_id="b", version="2")

    assert (project.language, project.bot_id, project.version) == ("other", "b", "2")


def test_bot_toml_may_leave_the_language_to_the_folder(bot):
    assert find(bot({"bot.toml": 'id = "a"\n', "bot.note": ""}), PLUGINS).language == "notes"


def test_bot_toml_decides_between_two_languages(bot):
    folder = bot({"bot.toml": 'language = "other"\n', "bot.note": "", "bot.other": ""})

    assert find(folder, PLUGINS).language == "other"


@pytest.mark.parametrize("text", [b"\xef\xbb\xbfid = 'a'\r\n", b"id = 'a'", "# ação\nid = 'a'\n".encode()])
def test_bot_toml_may_have_a_byte_order_mark_and_any_line_ends(bot, text):
    assert find(bot({"bot.toml": text, "bot.note": ""}), PLUGINS).bot_id == "a"


def test_a_bot_may_lie_below_blanks_accents_and_shell_signs(tmp_path):
    folder = tmp_path / "Desafio 01 - ação (1) & [x]" / "bot"
    folder.mkdir(parents=True)
    (folder / "bot.note").write_text("", encoding="utf-8")

    assert find(folder, PLUGINS).folder == folder.resolve()


# What is refused: message, then hint.

BAD_TOML = [
    (
        'id = "a"\nlanguage = "noets"\n',
        "bot.toml:2: language is 'noets'; installed: notes, other",
        "did you mean 'notes'?",
    ),
    ('language = "ruby"\n[ruby]\n', "bot.toml:1: language is 'ruby'; installed: notes, other", "install the plugin"),
    ('\n\nlangauge = "notes"\n', "bot.toml:3: unknown key 'langauge'", "did you mean 'language'?"),
    ("[nots]\nx = 1\n", "bot.toml:1: unknown table 'nots'", "did you mean 'notes'?"),
    ("colour = 3\n", "bot.toml:1: unknown key 'colour'", "known are id, version, language, entry, exclude"),
    ("notes = 3\n", "bot.toml:1: unknown key 'notes'", "write it as a table: [notes]"),
    ("version = 1.0\n", "bot.toml:1: version is no text", 'put it in quotes: version = "1.0"'),
    ('id = ["a"]\n', "bot.toml:1: id is no text", 'write it as id = "…"'),
    ('id = ""\n', "bot.toml:1: id is ''", "letters, digits"),
    ('id = "two words"\n', "bot.toml:1: id is 'two words'", "letters, digits"),
    ('version = "../1"\n', "bot.toml:1: version is '../1'", "letters, digits"),
    ('exclude = "data"\n', "bot.toml:1: exclude is no list of texts", "exclude = ["),
    ("exclude = [1]\n", "bot.toml:1: exclude is no list of texts", "exclude = ["),
    ('exclude = ["ok", "../x"]\n', "bot.toml:1: exclude says '../x', which leads out of the folder", "relative"),
    ('entry = "/etc/passwd"\n', "bot.toml:1: entry says '/etc/passwd', which leads out of the folder", "relative"),
    ('entry = "C:\\\\bot.py"\n', "bot.toml:1: entry says 'C:\\bot.py', which leads out", "relative"),
    ('entry = "a/../../b"\n', "bot.toml:1: entry says 'a/../../b', which leads out", "relative"),
    ('id = "a"\nid = "b"\n', "bot.toml:2: cannot overwrite a value", "toml.io"),
    ("id = a\n", "bot.toml:1: invalid value", "toml.io"),
    ("id = 'a'\nthis is no toml\n", "bot.toml:2: ", "toml.io"),
    ("id = '", "bot.toml: ", "toml.io"),
]


@pytest.mark.parametrize(("text", "message", "hint"), BAD_TOML, ids=[repr(row[0]) for row in BAD_TOML])
def test_a_broken_bot_toml_is_refused_with_its_line_and_a_hint(bot, text, message, hint):
    with pytest.raises(ProjectError) as refusal:
        find(bot({"bot.toml": text, "bot.note": ""}), PLUGINS)

    assert message in refusal.value.message
    assert hint in refusal.value.hint
    assert "\n" not in refusal.value.message


def test_a_bot_toml_in_utf_16_is_refused_with_a_hint(bot):
    with pytest.raises(ProjectError, match=r"bot\.toml is not UTF-8 text") as refusal:
        find(bot({"bot.toml": "id = 'a'\n".encode("utf-16")}), PLUGINS)

    assert refusal.value.hint == "save it as UTF-8"


def test_a_bot_toml_that_is_a_folder_is_refused(bot):
    with pytest.raises(ProjectError, match=r"bot\.toml cannot be read: Is a directory|Permission denied"):
        find(bot({"bot.toml/x": "", "bot.note": ""}), PLUGINS)


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(ProjectError, match="no-such-folder' does not exist"):
        find(tmp_path / "no-such-folder", PLUGINS)


def test_a_package_is_no_folder_and_the_hint_says_what_to_do_with_it(bot):
    with pytest.raises(ProjectError, match=r"bot\.zip' is a file, not a folder") as refusal:
        find(bot({"bot.note": "", "bot.zip": b"PK"}) / "bot.zip", PLUGINS)

    assert "bottool deploy" in refusal.value.hint
    assert "bottool inspect" in refusal.value.hint


def test_a_folder_that_is_no_bot_is_told_what_was_looked_for(bot):
    with pytest.raises(ProjectError) as refusal:
        find(bot({"README.md": "hello"}), PLUGINS)

    assert "my-bot' is no bot" in refusal.value.message
    assert "looked for bot.toml; bot.note (notes); bot.other (other)" in refusal.value.message
    assert "installed: notes, other" in refusal.value.hint


def test_two_languages_in_one_folder_ask_which(bot):
    with pytest.raises(ProjectError, match="my-bot' could be a bot in notes or other") as refusal:
        find(bot({"bot.note": "", "bot.other": ""}), PLUGINS)

    assert 'language = "notes" in bot.toml' in refusal.value.hint


def test_several_bots_below_are_listed_and_none_is_guessed(bot):
    folder = bot({"b/bot.note": "", "a b/deep/bot.toml": "", "c/bot.other": "", "empty/README": ""})

    with pytest.raises(ProjectError) as refusal:
        find(folder, PLUGINS)

    assert refusal.value.message.endswith("is no bot, but holds 3 bots: a b/deep, b, c")
    assert str(folder / "a b/deep") in refusal.value.hint
    assert "--all" in refusal.value.hint


def test_the_one_bot_below_is_taken(bot):
    folder = bot({"botPython/bot.note": "", "docs/read.me": ""})

    project = find(folder, PLUGINS)

    assert (project.folder, project.bot_id) == (folder / "botPython", "botPython")


def test_nothing_is_looked_for_inside_a_bot_an_environment_or_installed_packages(bot):
    folder = bot(
        {
            "one/bot.note": "",
            "one/inner/bot.note": "",
            "venv/pyvenv.cfg": "",
            "venv/lib/bot.note": "",
            "node_modules/x/bot.note": "",
            ".git/bot.note": "",
        }
    )

    assert [path.name for path in survey(folder, PLUGINS).bots] == ["one"]


def test_the_search_for_bots_ends_in_a_tree_that_does_not(bot):
    folder = bot({"a/b/c/d/bot.note": "", "a/b/c/d/e/bot.note": "", "x/1/2/3/4/5/bot.note": ""})
    (folder / "circle").symlink_to(folder, target_is_directory=True)

    assert [path.name for path in survey(folder, PLUGINS).bots] == ["d"]


@pytest.mark.parametrize(
    ("name", "bot_id"), [("Meu robô", "Meu-robo"), ("Desafio 04 - Front Office", "Desafio-04-Front-Office"), ("a+b", "a-b")]
)
def test_a_folder_name_that_can_be_no_bot_id_is_changed_into_one_and_that_is_said(tmp_path, name, bot_id):
    folder = tmp_path / name
    folder.mkdir()
    (folder / "bot.note").write_text("", encoding="utf-8")

    project = find(folder, PLUGINS)

    assert project.bot_id == bot_id
    assert [note.message for note in project.notes] == [f"'{name}' cannot be a bot id, so that '{bot_id}' is used"]
    assert f'id = "{bot_id}"' in project.notes[0].hint


def test_a_folder_name_without_any_letter_asks_for_an_id(tmp_path):
    folder = tmp_path / "🤖"
    folder.mkdir()
    (folder / "bot.note").write_text("", encoding="utf-8")

    with pytest.raises(ProjectError, match="'🤖' cannot be the bot id") as refusal:
        find(folder, PLUGINS)

    assert 'id = "…"' in refusal.value.hint


def test_a_bad_id_on_the_command_line_is_refused(bot):
    with pytest.raises(ProjectError, match="'a b' cannot be the bot id"):
        find(bot({"bot.note": ""}), PLUGINS, bot_id="a b")


def test_an_unknown_language_on_the_command_line_is_refused(bot):
    with pytest.raises(ProjectError, match="there is no language 'pyhton'; installed: notes, other"):
        find(bot({"bot.note": ""}), PLUGINS, language="pyhton")


@pytest.mark.parametrize("method", ["recognises", "identify"])
def test_a_language_that_fails_while_it_looks_is_named_by_its_plugin(bot, method):
    def fail(*_):
        raise OSError("disk on fire")

    plugins = plugins_with(type("Odd", (Notes,), {method: fail})())

    with pytest.raises(PluginError, match=rf"plugin 'under-test' failed in notes\.{method}: OSError: disk on fire"):
        find(bot({"bot.note": ""}), plugins)
