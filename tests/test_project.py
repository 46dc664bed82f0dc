"""Finding and reading a bot's folder."""

from pathlib import Path

import pytest

from bottool.discovery import survey
from bottool.errors import PluginError, ProjectError
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
    ("name", "bot_id"),
    [("Meu robô", "Meu-robo"), ("Desafio 04 - Front Office", "Desafio-04-Front-Office"), ("a+b", "a-b")],
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


# Names: which counts, and what is said when they disagree.


def test_bot_toml_counts_before_the_project_file_and_that_before_the_bots_own_description(bot):
    files = {"bot.other": "", "my.botproj": '{"name": "from-studio"}'}
    assert find(bot(files), PLUGINS).bot_id == "from-studio"

    project = find(bot({**files, "bot.toml": 'id = "mine"\n'}), PLUGINS)

    assert (project.bot_id, project.notes) == ("mine", ())


@pytest.mark.parametrize(
    ("content", "bot_id"),
    [
        (b'\xef\xbb\xbf{"name": "studio"}', "studio"),
        ('{"name": "studio"}'.encode("utf-16"), "studio"),
        (b"{broken", "the-file"),
        (b'{"name": 3}', "the-file"),
        (b"[]", "the-file"),
    ],
)
def test_a_project_file_is_read_in_any_encoding_and_a_broken_one_counts_by_its_own_name(bot, content, bot_id):
    assert find(bot({"bot.note": "", "the-file.botproj": content}), PLUGINS).bot_id == bot_id


def test_names_that_disagree_are_told_with_the_one_that_is_used(bot):
    folder = bot(
        {
            "../.git/HEAD": "",
            "bot.other": "",
            "b.botproj": '{"name": "studio"}',
            "build.sh": 'zip -r "init_work.zip" * -x "init_work.zip"',
            "build.ps1": '$exclude = @("venv", "Studio.zip")\r\n',
            "build.bat": "python setup.py sdist\r\n",
        }
    )

    (note,) = find(folder, PLUGINS).notes

    assert (note.code, note.severity) == ("name_disagrees", "warning")
    assert note.message == (
        "the names of this bot disagree: 'studio' is used, but its own description says 'from-its-files', "
        "build.sh says 'init_work', its folder says 'my-bot'"
    )
    assert 'id = "studio"' in note.hint


@pytest.mark.parametrize("line", ['$zipFileName = "$currentFolderName.zip"', "zip -r $1.zip .", "rem nothing", "\0\0"])
def test_a_build_script_that_computes_its_name_says_none(bot, line):
    assert find(bot({"bot.note": "", "build.sh": line, "build.ps1": line}), PLUGINS).notes == ()


def test_more_project_files_than_bots_are_told_and_none_is_taken(bot):
    project = find(bot({"bot.note": "", "a.botproj": "{}", "b.botproj": "{}"}), PLUGINS)

    assert project.bot_id == "my-bot"
    assert "several .botproj files lie here (a.botproj, b.botproj)" in project.notes[0].message


def test_two_bots_with_one_id_are_told(bot):
    folder = bot(
        {
            "a/bot.toml": 'id = "x"\nlanguage = "notes"\n',
            "b/bot.toml": 'id = "X"\nlanguage = "notes"\n',
            "c/bot.note": "",
        }
    )
    projects = [find(each, PLUGINS) for each in find_all(folder, PLUGINS)]

    told = twice(projects)

    assert sorted(path.name for path in told) == ["a", "b"]
    assert {each.code for each in told.values()} == {"id_taken"}


# Where a bot is looked for.


def test_all_bots_of_a_folder_are_found_sorted_and_a_bot_itself_is_one(bot):
    folder = bot({"z/bot.note": "", "a b/1/2/bot.other": "", "docs/x": ""})

    assert find_all(folder, PLUGINS) == [folder / "a b/1/2", folder / "z"]
    assert find_all(folder / "z", PLUGINS) == [folder / "z"]
    with pytest.raises(ProjectError, match="is no bot"):
        find_all(folder / "docs", PLUGINS)


def test_from_inside_a_bot_the_bot_above_is_found(bot, monkeypatch):
    folder = bot({".git/HEAD": "", "bot.note": "", "src/deep/er/than/most/x": ""})
    monkeypatch.chdir(folder / "src/deep/er/than/most")

    assert find(Path(), PLUGINS).folder == folder


def test_the_bot_above_is_not_looked_for_beyond_the_repository(bot, monkeypatch):
    folder = bot({"bot.note": "", "inner/.git/HEAD": "", "inner/src/x": ""})

    for place in ("inner", "inner/src"):
        monkeypatch.chdir(folder / place)
        with pytest.raises(ProjectError, match="is no bot"):
            find(Path(), PLUGINS)


def test_a_folder_that_was_named_does_not_stand_for_the_bot_above(bot):
    with pytest.raises(ProjectError, match="src' is no bot"):
        find(bot({"bot.note": "", "src/x": ""}) / "src", PLUGINS)


def test_a_file_means_its_folder_and_is_the_entry_unless_it_describes_the_project(bot):
    folder = bot({"bot.note": "", "other.note": "", "package.json": "{}", "x.botproj": "{}"})

    assert (find(folder / "other.note", PLUGINS).folder, find(folder / "other.note", PLUGINS).entry) == (
        folder,
        "other.note",
    )
    assert find(folder / "package.json", PLUGINS).entry == ""
    assert find(folder / "x.botproj", PLUGINS).entry == ""


@pytest.mark.parametrize("place", ["root", "home"])
def test_the_whole_machine_and_the_home_are_refused(place, bot, monkeypatch):
    folder = bot({"bot.note": ""})
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))

    with pytest.raises(ProjectError, match="is too much to be one bot"):
        find(folder if place == "home" else Path(folder.anchor), PLUGINS)


# What a folder is instead.


class Aware(Other):
    """Knows web applications for what they are."""

    def not_a_bot(self, folder: Path) -> str:
        return "a web application" if (folder / "app.other").is_file() else ""


AWARE = plugins_with(Notes(), Aware())


def test_what_a_language_knows_for_something_else_is_refused_by_its_name(bot):
    with pytest.raises(ProjectError, match="my-bot' is a web application, not a bot") as refusal:
        find(bot({"bot.other": "", "app.other": ""}), AWARE)

    assert "bot.toml" in refusal.value.hint


def test_bot_toml_makes_a_bot_of_it_all_the_same(bot):
    assert find(bot({"app.other": "", "bot.toml": 'language = "other"\n'}), AWARE).language == "other"


def test_applications_beside_bots_are_no_bots(bot):
    folder = bot({"api/bot.other": "", "api/app.other": "", "bot/bot.other": ""})

    assert find_all(folder, AWARE) == [folder / "bot"]


def test_a_folder_that_holds_only_other_things_names_them(bot):
    with pytest.raises(ProjectError, match="is no bot and holds none: api is a web application"):
        find(bot({"api/app.other": "", "docs/x": ""}), AWARE)


def test_a_template_is_told_from_outside_and_from_inside(bot):
    folder = bot({"{{ name }}/bot.note": ""})

    for path in (folder, folder / "{{ name }}"):
        with pytest.raises(ProjectError, match=r"is a template whose \{\{ \}\} are not filled in"):
            find(path, PLUGINS)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["a.zip"], "holds only the package a.zip: deploy it"),
        (["a.zip", "b.jar"], "holds only the packages a.zip, b.jar"),
    ],
)
def test_a_folder_that_holds_only_packages_says_so(bot, names, said):
    with pytest.raises(ProjectError, match=said) as refusal:
        find(bot({**dict.fromkeys(names, ""), "README.md": "", ".gitignore": ""}), PLUGINS)

    assert "bottool deploy" in refusal.value.hint


def test_the_empty_place_of_another_repository_is_told(bot):
    folder = bot({".git/HEAD": "", "a/bot.note": "", "b/bot.note": ""})
    (folder / "elsewhere").mkdir()

    with pytest.raises(ProjectError, match="empty: elsewhere; it stands for another repository, which was not fetched"):
        find(folder, PLUGINS)


def test_a_bot_that_lies_in_a_virtual_environment_is_found_and_its_libraries_are_not(bot):
    folder = bot(
        {
            "b/bot.toml": 'language = "notes"\n',
            "b/pyvenv.cfg": "",
            "b/own/bot.note": "",
            "v/pyvenv.cfg": "",
            "v/x/bot.note": "",
        }
    )

    assert find_all(folder, PLUGINS) == [folder / "b"]


def test_a_committed_environment_of_many_files_is_not_read(bot, tmp_path):
    folder = bot({"bot/bot.note": "", "rpa_env/pyvenv.cfg": ""})
    for number in range(50):
        (folder / f"rpa_env/Lib/p{number}").mkdir(parents=True)
    asked = []

    class Counting(Notes):
        def recognises(self, folder: Path) -> bool:
            asked.append(folder.name)
            return super().recognises(folder)

    find_all(folder, plugins_with(Counting()))

    assert set(asked) == {"my-bot", "bot"}


# Files that somebody may start, where nothing says which.


class Scripted(Other):
    """Knows files that could be started, and what a folder of theirs is when it is no bot."""

    title = "Other"

    def scripts(self, folder: Path) -> list[str]:
        return sorted(each.name for each in folder.glob("*.script"))

    def not_a_bot(self, folder: Path) -> str:
        return "a suite\nput a bot.other there" if (folder / "suite").is_file() else ""


SCRIPTED = plugins_with(Notes(), Scripted())


def test_scripts_are_counted_and_named_with_the_lines_that_make_a_bot_of_one(bot):
    folder = bot({f"{name}.script": "" for name in "abcdefg"})

    with pytest.raises(ProjectError) as refusal:
        find(folder, SCRIPTED)

    assert refusal.value.message.endswith(
        "does not say which of its 7 Other scripts is the bot: a.script, b.script, c.script, d.script, e.script and 2 more"
    )
    assert 'language = "other" and entry = "a.script"' in refusal.value.hint
    assert "bottool adopt a.script" in refusal.value.hint


def test_a_script_that_is_pointed_at_is_the_entry_and_tells_the_language(bot):
    folder = bot({"a.script": "", "b.script": ""})

    project = find(folder / "b.script", SCRIPTED)

    assert (project.folder, project.language, project.entry) == (folder.resolve(), "other", "b.script")


def test_what_a_language_advises_is_the_hint_also_from_the_folder_above(bot):
    folder = bot({"inside/suite": ""})

    for path, start in ((folder, "in 'inside': "), (folder / "inside", "")):
        with pytest.raises(ProjectError) as refusal:
            find(path, SCRIPTED)
        assert "is a suite" in refusal.value.message
        assert refusal.value.hint == f"{start}put a bot.other there"


def test_sources_that_no_language_builds_are_named_with_their_number(bot):
    with pytest.raises(ProjectError, match=r"my-bot' holds C# sources \(2 files\), which no installed language builds"):
        find(bot({"a/One.cs": "", "b/Two.cs": "", "b/x.sh": "", "README.md": ""}), PLUGINS)
