"""Where an error happened: told from the traces of four languages, the same after edits and on other machines."""

import time

import pytest

from bottool_web.actions.error_places import fingerprint_of, place_of, plain_message

PYTHON = """Traceback (most recent call last):
  File "/srv/{n}/bot.py", line {n}, in main
    go()
  File "/srv/{n}/steps/login.py", line 3{n}, in go
    requests.get("x")
  File "/venv/lib/python3.11/site-packages/requests/api.py", line 73, in get
    raise ValueError
ValueError: at 0x7f{n}"""
PYTHON_ON_WINDOWS = r"""Traceback (most recent call last):
  File "C:\bots\{n}\bot.py", line {n}, in <module>
  File "C:\Users\me\AppData\Local\Programs\Python\Python311\Lib\threading.py", line 1, in run
  File "<frozen importlib._bootstrap>", line 2{n}, in _find"""
PYTHON_CHAINED = """Traceback (most recent call last):
  File "/b/first.py", line 1, in cause
KeyError: 1

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/b/bot.py", line {n}, in retry
ValueError: {n}"""
JAVA = """java.lang.IllegalStateException: no {n}
\tat com.acme.Bot.start(Bot.java:{n})
\tat java.base/java.util.ArrayList.forEach(ArrayList.java:1511)
\tat com.acme.Bot.main(Bot.java:1)
Caused by: java.io.IOException: {n}
\tat java.base/java.io.FileInputStream.open0(Native Method)
\tat com.acme.Store.lambda$read${n}(Store.java:9{n})
\tat com.acme.Bot.start(Bot.java:40)
\t... 2 more"""
SCRIPT = """TypeError: x is no function
    at node:internal/process/task_queues:95:5
    at request (/b/{n}/node_modules/axios/index.js:2:3)
    at async Promise.all (index 0)
    at async login (file:///C:/bots/{n}/bot.mjs:{n}:1)
    at Object.<anonymous> (/b/main.js:1:1)"""
SCRIPT_NAMELESS = """Error: x
    at <anonymous>
    at Object.<anonymous> (C:\\bots\\{n}\\main.js:{n}:7)
    at Module._compile (node:internal/modules/cjs/loader:1105:14)"""
SHARP = r"""   at System.IO.File.Open(String path)
   at Acme.Bot.<RunAsync>d__{n}.MoveNext() in C:\src\{n}\Bot.cs:line {n}
--- End of stack trace from previous location ---
   at Acme.Program.Main(String[] args)"""
SHARP_LAMBDA = r"   at Acme.Bot.<>c__DisplayClass{n}_0.<Run>b__{n}(Int32 x) in C:\src\Bot.cs:line {n}"
SHARP_IN_PORTUGUESE = r"   em Acme.Bot.Agir(String x) na C:\src\Bot.cs:linha {n}"
TRACES = [
    (PYTHON, "login.py in go"),
    (PYTHON_ON_WINDOWS, "bot.py in <module>"),
    (PYTHON_CHAINED, "bot.py in retry"),
    (JAVA, "com.acme.Store.read"),
    (SCRIPT, "bot.mjs in login"),
    (SCRIPT_NAMELESS, "main.js"),
    (SHARP, "Acme.Bot.RunAsync"),
    (SHARP_LAMBDA, "Acme.Bot.Run"),
    (SHARP_IN_PORTUGUESE, "Acme.Bot.Agir"),
]


@pytest.mark.parametrize(("trace", "place"), TRACES)
def test_the_place_is_the_innermost_frame_of_the_bots_own_code(trace: str, place: str) -> None:
    for number in ("1", "23"):
        assert place_of(trace.replace("{n}", number)) == place


def test_windows_line_ends_change_nothing() -> None:
    assert place_of(PYTHON.replace("{n}", "1").replace("\n", "\r\n")) == "login.py in go"


def test_where_no_frame_is_the_bots_own_the_innermost_counts() -> None:
    trace = '  File "/v/site-packages/a.py", line 1, in one\n  File "/v/site-packages/b.py", line 1, in two'
    assert place_of(trace) == "b.py in two"
    assert place_of("\tat java.util.A.b(A.java:1)\n\tat java.util.C.d(C.java:1)") == "java.util.A.b"


@pytest.mark.parametrize("trace", ["", "no trace", "at Bot.java:1", "at (", 'File "', "at noon\n" * 5])
def test_what_is_no_trace_has_no_place(trace: str) -> None:
    assert place_of(trace) == ""


@pytest.mark.parametrize(
    "trace",
    [
        "at " + "a." * 500_000,
        'File "' * 150_000,
        "at (" * 250_000,
        "\tat " + "$$Lambda" * 100_000,
        "\n" * 900_000,
        ("  at " + "a<b>.c " * 280 + "\n") * 500,
        ("    at a b (c:" * 140 + "\n") * 500,
    ],
    ids=range(7),
)
def test_no_trace_takes_long(trace: str) -> None:
    begun = time.monotonic()
    assert isinstance(place_of(trace), str)
    assert time.monotonic() - begun < 5


def test_reports_are_alike_by_type_and_place() -> None:
    assert fingerprint_of("A", "bot.py in x", "one") == fingerprint_of("A", "bot.py in x", "two")
    assert fingerprint_of("A", "bot.py in x", "one") != fingerprint_of("B", "bot.py in x", "one")
    assert fingerprint_of("A", "bot.py in x", "one") != fingerprint_of("A", "bot.py in y", "one")


def test_without_a_place_they_are_alike_by_what_the_message_says() -> None:
    assert fingerprint_of("A", "", "no file 'a.txt' in row 12") == fingerprint_of("A", "", "no file 'b.csv' in row 7")
    assert fingerprint_of("A", "", "no file") != fingerprint_of("A", "", "no network")
    assert plain_message("at 0x7f00 of 12\nmore") == "at # of #"
