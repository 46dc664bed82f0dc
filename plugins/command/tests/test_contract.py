"""The tests that every language passes."""

import os

from bottool.testing import LanguageContract
from bottool_command.language import AnyCommand

SH = ("bot.sh", "echo '@TEXT@'\nexit @STATUS@\n")
BAT = ("bot.bat", "@chcp 65001 >nul\r\n@echo @TEXT@\r\n@exit /b @STATUS@\r\n")


class TestCommand(LanguageContract):
    language = AnyCommand()
    speaks = BAT if os.name == "nt" else SH
    if os.name != "nt":
        ends = ("bot.sh", 'exit "$2"\n')
        sleeps = ("bot.sh", "trap '' TERM\necho ready\nsleep 600\n")
        floods = ("bot.sh", "head -c $((@MEGABYTES@ * 1048576)) /dev/zero | tr '\\0' x\necho\n")
        spawns = ("bot.sh", "setsid sleep 600 &\necho $!\n")
