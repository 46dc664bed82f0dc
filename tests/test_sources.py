"""Which files go into a package: ignore files, folders known by what they hold, and how much was left out."""

import os
from pathlib import Path

import pytest

from bottool.errors import ProjectError
from bottool.sources import source_files


def tree(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def packed(folder: Path, *exclude: str, keep: tuple[str, ...] = ()) -> set[str]:
    return {name for name, _ in source_files(folder, exclude, keep=keep).files} - {".gitignore", ".bottoolignore"}


def test_what_git_ignores_is_left_out_and_the_file_that_says_so_is_named(tmp_path):
    tree(
        tmp_path,
        {".gitignore": "*.csv\n/tmp/\n# a comment\n\n", "bot.py": "", "a.csv": "", "sub/b.csv": "", "tmp/x": ""},
    )

    sources = source_files(tmp_path)

    assert [name for name, _ in sources.files] == [".gitignore", "bot.py"]
    assert "a.csv (ignored by .gitignore)" in sources.left_out
    assert "tmp/ (ignored by .gitignore)" in sources.left_out


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({".gitignore": "*.csv\n!keep.csv", "a.csv": "", "keep.csv": ""}, {"keep.csv"}),
        ({".gitignore": "*.csv", "sub/.gitignore": "!*.csv", "a.csv": "", "sub/b.csv": ""}, {"sub/.gitignore", "sub/b.csv"}),
        ({".gitignore": "data/*\n!data/keep", "data/a": "", "data/keep/b": ""}, {"data/keep/b"}),
        ({".gitignore": "data/\n!data/keep", "data/a": "", "data/keep": ""}, set()),
        ({".gitignore": "/x", "x": "", "sub/x": ""}, {"sub/x"}),
        ({".gitignore": "**/deep/*.txt", "a/deep/b.txt": "", "a/b.txt": ""}, {"a/b.txt"}),
        ({".gitignore": "\\#x\n\\!y\na[0-9].py", "#x": "", "!y": "", "a1.py": "", "ab.py": ""}, {"ab.py"}),
        ({".gitignore": "x \ny\\ \n", "x": "", "z": ""}, {"z"}),
        ({".gitignore": "/\n!\n", "z": ""}, {"z"}),
        ({".bottoolignore": "*.md", "a.md": "", "b.py": ""}, {"b.py"}),
        ({".gitignore": "*.csv", ".bottoolignore": "!*.csv", "a.csv": ""}, {"a.csv"}),
        ({".gitignore": "data/", ".bottoolignore": "!data/", "data/a": ""}, {"data/a"}),
        ({".gitignore": "!a.md", ".bottoolignore": "*.md", "a.md": "", "b": ""}, {"b"}),
        ({".bottoolignore": "!out.log", "out.log": "", "b.log": ""}, {"out.log"}),
        ({".bottoolignore": "!src/", "src/a.py": "", "src/__pycache__/a.pyc": "", "src/.env": ""}, {"src/a.py"}),
        ({".bottoolignore": "!venv/", "venv/pyvenv.cfg": ""}, {"venv/pyvenv.cfg"}),
    ],
)  # fmt: skip
def test_ignore_files_mean_what_git_means_by_them(tmp_path, files, expected):
    assert packed(tree(tmp_path, files)) == expected


def test_exclude_of_bot_toml_counts_before_everything(tmp_path):
    tree(tmp_path, {".bottoolignore": "!a.csv", "a.csv": "", "b.py": ""})

    assert packed(tmp_path, "*.csv") == {"b.py"}


def test_what_a_language_keeps_is_not_ignored(tmp_path):
    tree(tmp_path, {".gitignore": "dist/\nbuild", "dist/main.js": "", "dist/sub/a.js": "", "build/x": ""})

    assert packed(tmp_path, keep=("dist",)) == {"dist/main.js", "dist/sub/a.js"}


def test_ignore_files_of_the_folders_above_count_up_to_the_repository(tmp_path):
    tree(tmp_path, {".gitignore": "*.beyond", "repo/.gitignore": "*.csv\n/bots/one/big\n", "repo/.git/HEAD": ""})
    bot = tree(tmp_path / "repo/bots/one", {"bot.py": "", "a.csv": "", "big/x": "", "a.beyond": ""})

    sources = source_files(bot)

    assert [name for name, _ in sources.files] == ["a.beyond", "bot.py"]
    assert "a.csv (ignored by ../../.gitignore)" in sources.left_out


def test_a_bot_in_an_ignored_folder_is_built_all_the_same(tmp_path):
    tree(tmp_path, {".gitignore": "out/\n", ".git/HEAD": ""})

    assert packed(tree(tmp_path / "out/bot", {"bot.py": ""})) == {"bot.py"}


def test_without_a_repository_the_folders_above_do_not_count(tmp_path):
    tree(tmp_path, {".gitignore": "*.py"})

    assert packed(tree(tmp_path / "bot", {"bot.py": ""})) == {"bot.py"}


def test_an_ignore_file_written_by_an_old_powershell_is_read(tmp_path):
    (tmp_path / ".gitignore").write_bytes("*.csv\r\n".encode("utf-16"))
    tree(tmp_path, {"a.csv": "", "b.py": ""})

    assert packed(tmp_path) == {"b.py"}


def test_dot_env_is_left_out_anywhere_and_its_example_stays(tmp_path):
    tree(tmp_path, {".env": "A=1", "src/.env": "A=1", ".env.local": "", ".env.example": "A=", "src/environment.py": ""})

    assert packed(tmp_path) == {".env.example", "src/environment.py"}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"env/conda-meta/history": "", "a": ""}, {"a"}),
        ({"module/pom.xml": "", "module/target/x.jar": ""}, {"module/pom.xml"}),
        ({"build.gradle": "", "build/libs/x.jar": ""}, {"build.gradle"}),
        ({"sub/dist/x": "", "dist/y": ""}, {"sub/dist/x"}),
        ({"sub/bin/x": "", "bin/y": ""}, {"sub/bin/x", "bin/y"}),
    ],
)
def test_folders_are_known_by_what_they_hold(tmp_path, files, expected):
    assert packed(tree(tmp_path, files)) == expected


def test_how_much_was_left_out_is_counted_by_reason(tmp_path):
    tree(tmp_path, {"venv/pyvenv.cfg": "12345", "venv/lib/a.py": "123", ".git/HEAD": "1", ".env": "A=12", "bot.py": ""})

    groups = source_files(tmp_path).left_out_by_reason()

    assert [(each.why, each.files, each.size_bytes) for each in groups] == [
        ("a virtual environment", 2, 8),
        ("may hold secrets; set its values on the server", 1, 4),
        ("version control", 1, 1),
    ]


def test_links_that_lead_round_are_refused(tmp_path):
    tree(tmp_path, {"a/x": "", "b/y": ""})
    try:
        (tmp_path / "a/to-b").symlink_to(tmp_path / "b", target_is_directory=True)
        (tmp_path / "b/to-a").symlink_to(tmp_path / "a", target_is_directory=True)
    except OSError:
        pytest.skip("this user may make no links")

    with pytest.raises(ProjectError, match="is a link to a folder that holds it"):
        source_files(tmp_path)


def test_a_virtual_environment_that_is_a_link_is_left_out(tmp_path):
    tree(tmp_path, {"elsewhere/pyvenv.cfg": "", "bot/bot.py": ""})
    try:
        (tmp_path / "bot/venv").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    except OSError:
        pytest.skip("this user may make no links")

    assert packed(tmp_path / "bot") == {"bot.py"}


@pytest.mark.skipif(os.name == "nt" or not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_cannot_be_read_is_named(tmp_path):
    tree(tmp_path, {"closed/x": ""})
    (tmp_path / "closed").chmod(0)
    try:
        with pytest.raises(ProjectError, match="the folder 'closed/' cannot be read"):
            source_files(tmp_path)
    finally:
        (tmp_path / "closed").chmod(0o755)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes in folders")
def test_a_pipe_is_left_out_and_nobody_waits_for_it(tmp_path):
    os.mkfifo(tmp_path / "pipe")

    assert source_files(tmp_path).left_out == ("pipe (neither a file nor a folder)",)


def test_ten_thousand_files_are_listed_with_their_ignore_files(tmp_path):
    ignored = "\n".join(f"*.ignored{number}" for number in range(40))
    (tmp_path / ".gitignore").write_text(ignored, encoding="utf-8")
    for number in range(100):
        folder = tmp_path / f"folder {number}"
        folder.mkdir()
        for file in range(100):
            (folder / f"{file}.txt").touch()

    sources = source_files(tmp_path)

    assert len(sources.files) == 10_001
    assert len(sources.folders) == 101


def test_a_secret_under_another_name_is_left_out_too(tmp_path):
    (tmp_path / "bot").mkdir()
    (tmp_path / "bot/.env").write_text("KEY=1", "utf-8")
    (tmp_path / "bot/bot.py").write_text("", "utf-8")
    try:
        (tmp_path / "bot/settings").symlink_to(tmp_path / "bot/.env")
    except OSError:
        pytest.skip("this user may make no links")

    found = source_files(tmp_path / "bot")

    assert [name for name, _ in found.files] == ["bot.py"]
