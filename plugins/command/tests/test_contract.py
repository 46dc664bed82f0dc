"""The tests that every language passes."""

from bottool.testing import LanguageContract
from bottool_command.language import AnyCommand


class TestCommand(LanguageContract):
    language = AnyCommand()
