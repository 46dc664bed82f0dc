"""Where installers on Windows note the Javas that they put on the disk. Elsewhere there is no registry."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

_ROOTS = (
    r"SOFTWARE\JavaSoft",
    r"SOFTWARE\Eclipse Adoptium",
    r"SOFTWARE\Eclipse Foundation",
    r"SOFTWARE\AdoptOpenJDK",
    r"SOFTWARE\Microsoft\JDK",
    r"SOFTWARE\Azul Systems\Zulu",
    r"SOFTWARE\BellSoft\Liberica",
    r"SOFTWARE\Amazon Corretto",
)
_VALUES = ("JavaHome", "Path", "InstallationPath")
_DEPTH = 4
"""Adoptium notes its folder four keys down: JDK, version, hotspot, MSI."""


if sys.platform != "win32":

    def java_homes() -> Iterator[Path]:
        """Nothing."""
        return iter(())

else:

    def java_homes() -> Iterator[Path]:
        """Folders that the registry names; what is not there any more is among them."""
        import winreg

        for hive in (winreg.HKEY_LOCAL_MACHINE, winreg.HKEY_CURRENT_USER):
            for root in _ROOTS:
                yield from _below(hive, root, _DEPTH)

    def _below(hive: int, name: str, depth: int) -> Iterator[Path]:
        import winreg

        with contextlib.suppress(OSError), winreg.OpenKey(hive, name) as key:
            for value in _VALUES:
                with contextlib.suppress(OSError):
                    yield Path(str(winreg.QueryValueEx(key, value)[0]))
            number = winreg.QueryInfoKey(key)[0] if depth else 0
            for each in [winreg.EnumKey(key, index) for index in range(number)]:
                yield from _below(hive, rf"{name}\{each}", depth - 1)
