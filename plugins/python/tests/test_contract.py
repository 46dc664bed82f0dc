"""The tests that every language passes."""

from bottool.testing import LanguageContract
from bottool_python.language import Python


class TestPython(LanguageContract):
    language = Python()
    speaks = ("bot.py", 'print("@TEXT@")\nraise SystemExit(@STATUS@)\n')
