"""Requirements as they are found in the wild."""

import pytest

from bottool_python import locks, requirements, tree
from bottool_python.layout import Options


def read(folder, **options):
    return requirements.read(tree.of_folder(folder), Options(**options))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_any_encoding_is_read_by_its_mark(folder_of, encoding):
    text = "# robô 🤖\r\nsix==1.17.0  \r\nidna>=3"
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")

    found = read(folder_of({"requirements.txt": mark + text.encode(encoding)}))

    assert found.text == "six==1.17.0\nidna>=3\n"
    assert not found.problems


def test_a_western_code_page_is_read_too(folder_of):
    assert read(folder_of({"requirements.txt": "six # ação\n".encode("cp1252")})).text == "six\n"


def test_comments_and_continued_lines_and_options_are_understood(folder_of):
    text = (
        "--extra-index-url https://registry.example/simple\n"
        "# a comment\n\n"
        "requests[socks] >= 2.0, \\\n    < 3  # joined\n"
        "six==1.17.0 --hash=sha256:00\n"
        "pywin32==310; sys_platform == 'win32'\n"
    )

    found = read(folder_of({"requirements.txt": text}))

    assert not found.problems
    assert found.names == {"requests", "six", "pywin32"}
    assert [line.number for line in found.lines] == [1, 4, 6, 7]


def test_a_pin_that_exists_on_windows_only_is_named_with_its_line(folder_of):
    (problem,) = read(folder_of({"requirements.txt": "six\npywin32==310\n"})).problems

    assert (problem.severity, problem.code, problem.path, problem.line) == (
        "warning",
        "windows_only",
        "requirements.txt",
        2,
    )
    assert problem.hint == 'write: pywin32==310; sys_platform == "win32"'


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("six==\n", "bad_requirement"),
        ("two words\n", "bad_requirement"),
        ("{% if x %}\n", "template"),
        ("{{ dep }}\n", "template"),
        ("-r missing.txt\n", "no_requirements"),
        ("-r ../outside.txt\n", "outside"),
        ("-r C:\\outside.txt\n", "outside"),
        ("-r https://registry.example/r.txt\n", "remote_requirements"),
    ],
)
def test_a_line_that_cannot_be_installed_is_an_error_with_its_place(folder_of, text, code):
    (problem,) = read(folder_of({"requirements.txt": "six\n" + text})).problems

    assert (problem.severity, problem.code, problem.path, problem.line) == ("error", code, "requirements.txt", 2)


def test_a_marker_in_endless_brackets_is_no_crash(folder_of):
    text = f"six ; {'(' * 50_000}\n"

    assert [each.code for each in read(folder_of({"requirements.txt": text})).problems] == ["bad_requirement"]
    assert locks.Locked(path="requirements.lock", text=text).requirements == ()


@pytest.mark.parametrize(
    ("text", "names", "local", "nameless"),
    [
        ("git+https://code.example/a/b.git\n", set(), False, True),
        ("git+https://code.example/a/b.git@v1#egg=My_Thing\n", {"my-thing"}, False, False),
        ("-e git+https://code.example/a/b.git#egg=thing\n", {"thing"}, False, False),
        ("thing @ https://code.example/thing-1.zip\n", {"thing"}, False, False),
        ("./vendor/thing-1.0-py3-none-any.whl\n", {"thing"}, True, False),
        ("vendor/thing-1.0.tar.gz\n", set(), True, True),
        ("-e .\n", set(), True, True),
        ("--find-links vendor\nthing\n", {"thing"}, True, False),
    ],
)
def test_links_and_paths_are_taken_as_they_are(folder_of, text, names, local, nameless):
    found = read(folder_of({"requirements.txt": text}))

    assert not found.problems
    assert (found.names, found.local, found.has_nameless) == (names, local, nameless)
    assert "-e " not in found.text


def test_included_files_are_taken_in_once_and_constraints_kept_apart(folder_of):
    folder = folder_of(
        {
            "requirements.txt": "-r parts/base.txt\n-c limits.txt\nsix\n",
            "parts/base.txt": "-r more.txt\nidna\n",
            "parts/more.txt": "-r base.txt\ncertifi\n",
            "limits.txt": "six<2\n",
        }
    )

    found = read(folder)

    assert found.text == "certifi\nidna\nsix\n"
    assert found.constraints_text == "six<2\n"


def test_bot_toml_may_name_other_files(folder_of):
    folder = folder_of({"requirements.txt": "wrong\n", "deps/prod.txt": "six\n", "limits.txt": "six<2\n"})

    found = read(folder, requirements="deps/prod.txt", constraints="limits.txt")

    assert (found.text, found.constraints_text) == ("six\n", "six<2\n")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"pyproject.toml": '[project]\ndependencies = ["six>=1", "idna"]'}, "six>=1\nidna\n"),
        ({"PKG-INFO": "Name: x\nRequires-Dist: six\nRequires-Dist: idna; extra == 'more'\n"}, "six\n"),
        ({"x.egg-info/requires.txt": "six[a]>=1\n\n[more]\nidna\n"}, "six[a]>=1\n"),
        ({"setup.py": "setup(install_requires=['six'])"}, "six\n"),
        ({"pyproject.toml": '[project]\ndependencies = ["idna"]', "requirements.txt": ""}, ""),
        ({}, ""),
    ],
)
def test_without_a_requirements_file_the_metadata_count(folder_of, files, expected):
    assert read(folder_of({"bot.py": "", **files})).text == expected


def test_exact_pins_are_dependencies_with_a_version(folder_of):
    found = read(folder_of({"requirements.txt": "Six==1.17.0\nidna>=3\ncertifi==2024.*\n"}))

    assert [(each.name, each.version) for each in found.dependencies] == [
        ("certifi", ""),
        ("idna", ""),
        ("six", "1.17.0"),
    ]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-8", "latin-1", "cp1252"])
def test_without_a_mark_the_encoding_is_recognised(encoding):
    assert requirements.decode("six==1.0\r\n# ação\r\n".encode(encoding)) == "six==1.0\r\n# ação\r\n"
