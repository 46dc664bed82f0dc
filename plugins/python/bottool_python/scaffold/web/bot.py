"""BOT_ID: opens a page in a browser, reads a list from it and reports how many items there are.

The page lies beside this file, so that the bot works anywhere. Give the parameter "address" to read another page.
Where no browser is, the bot says so, does nothing and reports that.
"""

import shutil
from pathlib import Path

from botcity.maestro import AutomationTaskFinishStatus, BotMaestroSDK
from selenium import webdriver
from selenium.webdriver.common.by import By

# Offline the calls below only warn.
BotMaestroSDK.RAISE_NOT_CONNECTED = False

BROWSERS = ("google-chrome", "google-chrome-stable", "chromium", "chromium-browser", "chrome")
PAGE = (Path(__file__).parent / "page.html").as_uri()


def find_browser() -> str:
    """The path of a browser that this bot can use, or an empty text."""
    found = (shutil.which(name) for name in BROWSERS)
    return next((path for path in found if path), "")


def read_orders(browser: str, address: str) -> list[str]:
    """Open the page and return the texts of its orders."""
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    # No window is shown, so no display is needed.
    options.add_argument("--headless=new")
    options.add_argument("--no-sandbox")
    driver = webdriver.Chrome(options=options)
    try:
        driver.get(address)
        return [element.text for element in driver.find_elements(By.CLASS_NAME, "order")]
    finally:
        driver.quit()


def main() -> None:
    # Server, task id, token and workspace come as arguments.
    maestro = BotMaestroSDK.from_sys_args()
    execution = maestro.get_execution()
    address = execution.parameters.get("address", PAGE)

    browser = find_browser()
    if browser:
        orders = read_orders(browser, address)
        print(f"{len(orders)} orders: {', '.join(orders)}")
        status, message = AutomationTaskFinishStatus.SUCCESS, "All orders read"
    else:
        orders = []
        print(f"No browser on this machine (looked for {', '.join(BROWSERS)}): nothing was read")
        status, message = AutomationTaskFinishStatus.PARTIALLY_COMPLETED, "No browser on this machine: nothing was read"

    maestro.finish_task(
        task_id=execution.task_id,
        status=status,
        message=message,
        total_items=len(orders),
        processed_items=len(orders),
        failed_items=0,
    )


if __name__ == "__main__":
    main()
