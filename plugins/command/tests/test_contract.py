"""The tests that every language passes."""

import os

from bottool.testing import LanguageContract
from bottool_command.language import AnyCommand

SH = ("bot.sh", "echo '@TEXT@'\nexit @STATUS@\n")
BAT = ("bot.bat", "@chcp 65001 >nul\r\n@echo @TEXT@\r\n@exit /b @STATUS@\r\n")


class TestCommand(LanguageContract):
    language = AnyCommand()
    speaks = BAT if os.name == "nt" else SH
