"""What operating systems do differently about screens: whether there is one, whether it is locked, virtual ones.

Knows no attempt and no server.
"""

import plistlib
import shutil
import subprocess
import sys

from bottool.settings import base_variables
from bottool_runner.display import has_display

_ASK_SECONDS = 5.0
XVFB = "Xvfb"


def no_real() -> str:
    """Why this process has no screen of the machine, as far as that can be told without asking it; else ``""``."""
    if has_display():
        return ""
    if sys.platform == "win32":
        return "the runner works in the session of services; start it where somebody is signed in"
    if said := base_variables().get("DISPLAY"):
        return f"nothing answers at DISPLAY={said}"
    if base_variables().get("WAYLAND_DISPLAY"):
        return "its session is Wayland's without X; start the runner where DISPLAY is set"
    return "DISPLAY is not set where the runner was started"


def no_virtual() -> str:
    """Why no virtual screen can be made here; ``""`` when one can."""
    if not sys.platform.startswith("linux"):
        return "only Linux has virtual screens"
    return "" if shutil.which(XVFB) else "Xvfb is not installed; apt-get install xvfb"


def is_locked() -> bool:
    """Whether the machine's screen is locked, as far as the system tells: where it does not, it counts as unlocked."""
    try:
        if sys.platform == "win32":
            return _is_locked_on_windows()
        elif sys.platform == "darwin":  # noqa: RET505 - the type checker knows a platform's branch by its shape
            console = _answer("ioreg", "-n", "Root", "-d1", "-a")
            return bool(plistlib.loads(console).get("IOConsoleLocked", False)) if console else False
        else:
            session = base_variables().get("XDG_SESSION_ID", "")
            said = _answer("loginctl", "show-session", session, "--property=LockedHint", "--value") if session else b""
            return said.strip() == b"yes"
    except (OSError, ValueError, subprocess.SubprocessError):
        return False


def _answer(*command: str) -> bytes:
    if shutil.which(command[0]) is None:
        return b""
    ran = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=_ASK_SECONDS, check=False)
    return ran.stdout if ran.returncode == 0 else b""


if sys.platform == "win32":
    import ctypes

    _SWITCH_DESKTOP = 0x0100

    def _is_locked_on_windows() -> bool:
        """Another desktop than the user's has the input while the screen is locked, and cannot be switched to.

        Source: learn.microsoft.com, "OpenInputDesktop" and "SwitchDesktop".
        """
        user = ctypes.WinDLL("user32", use_last_error=True)
        user.OpenInputDesktop.restype = ctypes.c_void_p
        desktop = ctypes.c_void_p(user.OpenInputDesktop(0, False, _SWITCH_DESKTOP))
        if not desktop:
            return True
        try:
            return not user.SwitchDesktop(desktop)
        finally:
            user.CloseDesktop(desktop)
