"""BOT_ID: opens a page in a browser, reads a list from it and reports how many items there are.

The page lies beside this file, so that the bot works anywhere. Give the parameter "address" to read another page.
Where no browser is, the bot says so, does nothing and reports that.
"""

from pathlib import Path

from botcity.maestro import AutomationTaskFinishStatus, BotMaestroSDK
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By

# Offline the calls below only warn.
BotMaestroSDK.RAISE_NOT_CONNECTED = False

PAGE = (Path(__file__).parent / "page.html").as_uri()


def open_browser():
    """A browser without a window, which needs no display; None where Chrome or its driver is missing."""
    options = webdriver.ChromeOptions()
    options.add_argument("--headless=new")
    options.add_argument("--no-sandbox")
    try:
        return webdriver.Chrome(options=options)
    except WebDriverException as error:
        print(f"No browser can be started here: {error.msg}")
        return None


def read_orders(browser, address):
    """Open the page and return the texts of its orders."""
    browser.get(address)
    return [element.text for element in browser.find_elements(By.CLASS_NAME, "order")]


def main() -> None:
    # Server, task id, token and workspace come as arguments.
    maestro = BotMaestroSDK.from_sys_args()
    execution = maestro.get_execution()
    address = execution.parameters.get("address", PAGE)

    browser = open_browser()
    if browser is None:
        orders = []
        print("Nothing was read")
        status, message = AutomationTaskFinishStatus.PARTIALLY_COMPLETED, "No browser on this machine: nothing was read"
    else:
        try:
            orders = read_orders(browser, address)
        finally:
            browser.quit()
        print(f"{len(orders)} orders: {', '.join(orders)}")
        status, message = AutomationTaskFinishStatus.SUCCESS, "All orders read"

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
