"""BOT_ID: takes a picture of the screen and reports its size.

A desktop bot needs a screen: a machine where somebody is signed in, or a virtual display. Where there is none, the bot
says so, does nothing and reports that.
"""

import os
import sys

from botcity.maestro import AutomationTaskFinishStatus, BotMaestroSDK

# Offline the calls below only warn.
BotMaestroSDK.RAISE_NOT_CONNECTED = False


def has_display() -> bool:
    """True where windows can be shown. Windows and macOS always say yes."""
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY"))


def look_at_screen() -> tuple[int, int]:
    """The width and height of the screen."""
    # Imported here, because the import already needs a display.
    from botcity.core import DesktopBot

    bot = DesktopBot()
    return bot.display_size()


def main() -> None:
    # Server, task id, token and workspace come as arguments.
    maestro = BotMaestroSDK.from_sys_args()
    execution = maestro.get_execution()

    if has_display():
        width, height = look_at_screen()
        print(f"The screen has {width} x {height} points")
        status, message, done = AutomationTaskFinishStatus.SUCCESS, "The screen was seen", 1
    else:
        print("No display on this machine: nothing was done")
        status, message, done = AutomationTaskFinishStatus.PARTIALLY_COMPLETED, "No display on this machine", 0

    maestro.finish_task(
        task_id=execution.task_id,
        status=status,
        message=message,
        total_items=done,
        processed_items=done,
        failed_items=0,
    )


if __name__ == "__main__":
    main()
