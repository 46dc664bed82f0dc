r"""Java's properties files: what ``java.util.Properties.load`` makes of them, by its documentation.

Where a JDK is at hand, Java itself is asked about every text here.
"""

import shutil
import subprocess

import pytest

from bottool_runner.properties import BadProperties, decoded, entries


def pairs(text):
    return {entry.key: entry.value for entry in entries(text)}


TEXTS = {
    "a=b": {"a": "b"},
    "a:b": {"a": "b"},
    "a b": {"a": "b"},
    "a\tb": {"a": "b"},
    "a = b": {"a": "b"},
    "a : b": {"a": "b"},
    "a  =  b  ": {"a": "b  "},
    "a==b": {"a": "=b"},
    "a:=b": {"a": "=b"},
    "a = : b": {"a": ": b"},
    "a b=c": {"a": "b=c"},
    "a": {"a": ""},
    "a=": {"a": ""},
    "=b": {"": "b"},
    "": {},
    "\n\r\n\r": {},
    "   a=b": {"a": "b"},
    "\fa=b": {"a": "b"},
    "# c\na=b": {"a": "b"},
    "  ! c\na=b": {"a": "b"},
    "# c \\\na=b": {"a": "b"},
    "a=b # c": {"a": "b # c"},
    "a=b\r\nc=d\re=f\ng=h": {"a": "b", "c": "d", "e": "f", "g": "h"},
    "a=b\\\n   c": {"a": "bc"},
    "a=b\\\r\n\tc": {"a": "bc"},
    "a=b\\\rc": {"a": "bc"},
    "a=b\\\\\nc=d": {"a": "b\\", "c": "d"},
    "a=b\\\n": {"a": "b"},
    "a=b\\": {"a": "b"},
    "a=b\\\n\nc=d": {"a": "b", "c": "d"},
    "a=b\\\n# no comment": {"a": "b# no comment"},
    "\\\na=b": {"a": "b"},
    "a\\\nb=c": {"ab": "c"},
    "a\\=b=c": {"a=b": "c"},
    "a\\:b=c": {"a:b": "c"},
    "a\\ b=c": {"a b": "c"},
    "\\#a=b": {"#a": "b"},
    "a=\\ b": {"a": " b"},
    "a=\\t\\n\\r\\f": {"a": "\t\n\r\f"},
    'a=\\q\\b\\z\\"': {"a": 'qbz"'},
    "a=C:\\\\bots\\\\x": {"a": "C:\\bots\\x"},
    "a=C:\\bots\\x": {"a": "C:botsx"},
    "a=\\u00e7\\u00C7": {"a": "çÇ"},
    "\\u0061=b": {"a": "b"},
    "a=\\ud83d\\ude00": {"a": "😀"},
    "a=\\u000a": {"a": "\n"},
    "a=\\\\u00e7": {"a": "\\u00e7"},
    "a=1\na=2": {"a": "2"},
}  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), TEXTS.items())
def test_a_text_is_read_as_java_reads_it(text, wanted):
    assert pairs(text) == wanted


JAVA = """
import java.io.*; import java.nio.charset.StandardCharsets; import java.util.*;
public class Ask {
  public static void main(String[] files) throws Exception {
    PrintStream out = new PrintStream(System.out, true, "UTF-8");
    for (String file : files) {
      Properties p = new Properties();
      try (Reader r = new InputStreamReader(new FileInputStream(file), StandardCharsets.UTF_8)) { p.load(r); }
      StringBuilder said = new StringBuilder();
      for (String key : new TreeMap<Object, Object>(p).keySet().toArray(new String[0]))
        for (String part : new String[] {key, p.getProperty(key)}) {
          for (byte b : part.getBytes(StandardCharsets.UTF_8)) said.append(String.format("%02x", b));
          said.append(",");
        }
      out.println(said);
    }
  }
}
"""


def test_java_itself_reads_the_same(tmp_path):
    java = shutil.which("java")
    assert java, "a JDK is among the programs that the tests need"
    (tmp_path / "Ask.java").write_text(JAVA)
    files = []
    for number, text in enumerate(TEXTS):
        files.append(tmp_path / f"{number}.properties")
        files[-1].write_bytes(text.encode())

    said = subprocess.run(
        [java, "-Xshare:auto", "-XX:TieredStopAtLevel=1", str(tmp_path / "Ask.java"), *map(str, files)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n")

    ours = [
        "".join(f"{part.encode().hex()}," for pair in sorted(pairs(text).items()) for part in pair) for text in TEXTS
    ]
    assert said[: len(ours)] == ours


@pytest.mark.parametrize("text", ["a=\\u12", "a=\\u", "a=\\uzzzz", "x=1\na=\\u12g4", "a=\\ud83d", "a=\\ude00\\ud83d"])
def test_a_broken_escape_is_named_by_line_and_key_and_never_by_value(text):
    with pytest.raises(BadProperties) as refused:
        list(entries(text))

    assert (refused.value.line, refused.value.key) == (text.count("\n") + 1, "a")


def test_a_line_that_is_joined_is_where_it_begins():
    assert [entry.line for entry in entries("# c\na=b\\\n c\r\n\nd=e")] == [2, 5]


TEXT = "login=joão\nkey=ç😀"


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (TEXT.encode(), TEXT),
        (TEXT.encode("utf-8-sig"), TEXT),
        (TEXT.encode("utf-16"), TEXT),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), TEXT),
        (b"\xff\xfe" + TEXT.encode("utf-16-le"), TEXT),
        (TEXT.encode("utf-32"), TEXT),
        ("login=joão".encode("latin-1"), "login=joão"),
        (b"", ""),
    ],
)
def test_the_encoding_is_told_by_the_bytes(data, wanted):
    assert decoded(data) == wanted


@pytest.mark.parametrize("data", [b"a\0=\0b\0", b"\xff\xfea", b"\xef\xbb\xbfa=\xff", b"PK\3\4\0\0"])
def test_bytes_that_are_no_text_are_refused(data):
    with pytest.raises(BadProperties):
        decoded(data)
