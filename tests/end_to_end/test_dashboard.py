"""The dashboard in a real browser: what a person sees and clicks."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, expect, sync_playwright

pytestmark = [pytest.mark.end_to_end, pytest.mark.browser]

Bot = Callable[[str, str], Path]
WAIT_MS = 30_000
SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        assert not os.environ.get("CI"), "Chromium is missing; in CI that is a failure"
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(
            executable_path=program, args=[*SWITCHES, "--disable-component-update", "--disable-sync"]
        )
        yield made
        made.close()


@pytest.fixture
def page(browser: Browser, home: Any) -> Iterator[Page]:
    """A page of a browser where an administrator has signed in; nothing may go wrong in its console."""
    context = browser.new_context(base_url=home.address, locale="pt-BR", viewport={"width": 1280, "height": 900})
    context.set_default_timeout(WAIT_MS)
    expect.set_options(timeout=WAIT_MS)
    made, complaints = context.new_page(), []
    made.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    made.on("pageerror", lambda error: complaints.append(str(error)))
    made.goto("/")
    sign_in(made, home.email, home.password)
    yield made
    context.close()
    # A status of 4xx that a test provokes is written to the console too; anything else is our fault.
    ours = [text for text in complaints if "status of 4" not in text]
    assert not ours, ours


def sign_in(page: Page, email: str, password: str) -> None:
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_a_wrong_password_is_refused(browser: Browser, home: Any) -> None:
    context = browser.new_context(base_url=home.address)
    page = context.new_page()
    page.goto("/tasks")

    sign_in(page, home.email, "not this one")

    expect(page.get_by_role("alert")).to_be_visible()
    expect(page).to_have_title("Sign in · bottool")
    context.close()


def test_signing_out_ends_the_session(page: Page) -> None:
    page.locator("details.menu summary").click()
    page.get_by_role("button", name="Sign out").click()

    page.goto("/tasks")

    expect(page).to_have_title("Sign in · bottool")


def test_a_person_deploys_a_bot_makes_an_automation_and_watches_its_task(
    page: Page, home: Any, studio_bot: Bot, tmp_path: Path
) -> None:
    project = studio_bot(
        "greeter",
        """
        import time
        for number in range(8):
            print("item", number, flush=True)
            time.sleep(0.5)
        """,
    )
    built = Path(home.json("build", str(project), "--out", str(tmp_path / "out"))["path"])

    page.goto("/bots")
    page.get_by_role("link", name="Deploy").click()
    page.get_by_label("Package").set_input_files(built)
    page.get_by_label("Bot id").fill("greeter")
    page.get_by_label("Version", exact=True).fill("1.0.0")
    page.get_by_label("Language").select_option("PYTHON")
    page.get_by_role("button", name="Deploy").click()
    expect(page.get_by_role("heading", name="greeter")).to_be_visible()
    expect(page.locator("#version-1\\.0\\.0")).to_contain_text("released")

    page.get_by_role("link", name="Automations").click()
    page.get_by_role("link", name="New automation").click()
    page.locator("#label").fill("greet")
    page.get_by_label("Name", exact=True).fill("Greet everybody")
    page.locator("#bot_id").select_option("greeter")
    page.get_by_label("More machine ids").fill("box-1")
    page.get_by_label("Label of parameter 1").fill("count")
    page.get_by_label("Type of parameter 1").select_option("integer")
    page.get_by_label("Default of parameter 1").fill("8")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Greet everybody")).to_be_visible()

    page.get_by_role("link", name="New task").click()
    page.get_by_label("count").fill("9")
    page.get_by_role("button", name="Start").click()
    expect(page.locator("h1 [data-state=queued]")).to_be_visible()
    expect(page.get_by_text("It waits:")).to_be_visible()
    task_id = int(page.url.rsplit("/", 1)[1])
    assert home.task(task_id).parameters == {"count": 9}

    # No reload from here on: the page shows by itself what happens.
    page.evaluate("window.notReloaded = true")
    home.start_runner()
    expect(page.locator("h1 [data-state=running]")).to_be_visible()
    expect(page.locator("#output")).to_contain_text("item 0")
    assert "item 7" not in page.locator("#output").inner_text()
    expect(page.locator("h1 [data-state=succeeded]")).to_be_visible()
    expect(page.locator("#output")).to_contain_text("item 7")
    assert page.locator("#output").inner_text().count("item 3") == 1
    assert page.evaluate("window.notReloaded") is True


def test_the_list_keeps_its_filters_in_the_address(page: Page, home: Any) -> None:
    for label in ("one", "two"):
        home.bottool("automation", "create", label)
        home.new_task(label)

    page.goto("/tasks")
    page.get_by_label("Automation", exact=True).fill("two")
    page.get_by_role("button", name="Filter").click()

    expect(page.locator("tbody tr")).to_have_count(1)
    assert "automation=two" in page.url
    page.get_by_role("navigation", name="States").get_by_role("link", name="queued").click()
    page.wait_for_url("**state=queued**")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.go_back()
    page.wait_for_url(lambda url: "automation=two" in url and "state=" not in url)


def test_home_changes_by_itself(page: Page, home: Any) -> None:
    page.goto("/")
    home.bottool("automation", "create", "idle")

    home.new_task("idle")

    expect(page.locator("a.tile", has_text="waiting").locator(".tile-number")).to_have_text("1")


def test_a_task_is_cancelled_on_its_page(page: Page, home: Any) -> None:
    home.bottool("automation", "create", "idle")
    task_id = home.new_task("idle")

    page.goto(f"/tasks/{task_id}")
    page.get_by_role("button", name="Cancel").click()

    expect(page.locator("h1 [data-state=cancelled]")).to_be_visible()
    assert home.task(task_id).state == "cancelled"


def test_a_runner_registers_with_the_line_that_the_page_shows(page: Page, home: Any) -> None:
    page.goto("/runners")
    page.get_by_label("Machine id").fill("box-9")
    page.get_by_role("button", name="Make a code").click()
    line = page.locator("#runner-command").inner_text()
    code = line.split("--code ")[1].strip()

    home.start_runner("box-9", "--code", code)

    expect(page.locator("tr", has_text="box-9").locator("[data-state=online]")).to_be_visible()


def test_what_a_bot_prints_is_never_run_by_the_page(page: Page, home: Any, command_bot: Bot) -> None:
    evil = "<script>window.caught = true</script><img src=x onerror=window.caught=true>"
    home.deploy(command_bot("evil", f"print({evil!r}); raise SystemExit({evil!r})"))
    home.automate("evil", "evil")
    home.start_runner()
    task_id = home.new_task("evil")
    home.wait_for_state(task_id, "failed")

    page.goto(f"/tasks/{task_id}")

    expect(page.locator("#output")).to_contain_text("<script>")
    assert page.evaluate("window.caught") is None


@pytest.mark.parametrize(
    "path", ["/", "/automations", "/automations/new", "/tasks", "/bots", "/bots/deploy", "/runners"]
)
def test_every_page_fits_a_narrow_window(page: Page, path: str) -> None:
    page.set_viewport_size({"width": 390, "height": 800})

    page.goto(path)

    assert page.evaluate("document.documentElement.scrollWidth") <= 390


LONG = "abrir_portal_da_prefeitura_municipal_de_são_josé_dos_campos_com_certificado_digital"


def test_pages_of_reports_keep_their_shape_with_long_texts(page: Page, home: Any) -> None:
    home.bottool("automation", "create", LONG[:28], "--name", f"Emissão de notas, {LONG}")
    task = str(home.new_task(LONG[:28]))
    home.bottool("log", "create", "notas", "--column", "numero", "--column", "texto", "--column", "cnpj")
    home.bottool("log", "add", "notas", "numero:=4711", f"texto={LONG * 3}", "cnpj=12.345.678/0001-90")
    home.bottool("alert", "create", "--task", task, "--title", LONG, "--message", LONG * 3)
    home.bottool("message", "send", "--to", f"{LONG[:20]}@{'a' * 60}.example.org", "--subject", LONG * 2)
    error = home.bottool("error", "create", "--task", task, "--type", LONG, "--message", LONG * 4).stdout.strip()
    home.bottool("schedule", "create", LONG[:28], "--daily", "08:30", "--description", LONG)
    paths = ["/errors", f"/errors/{error}", "/errors/groups/1", "/alerts", "/logs", "/logs/notas", "/artifacts"]

    for path in [*paths, "/messages", "/messages/1", "/schedules", "/schedules/new", "/audit"]:
        for width in (390, 1400):
            page.set_viewport_size({"width": width, "height": 800})
            page.goto(path)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)

    page.goto("/logs/notas")
    fields = page.locator("form.filters input:not([type=hidden]), form.filters button")
    heights = {round(fields.nth(number).bounding_box()["height"]) for number in range(fields.count())}
    assert max(heights) - min(heights) <= 4, heights
    number = page.locator("td", has_text="12.345.678")
    assert number.evaluate("cell => getComputedStyle(cell).whiteSpace") == "nowrap", "a short value is one line"


def test_the_navigation_works_by_keyboard_and_without_scripts_on_any_screen(browser: Browser, home: Any) -> None:
    context = browser.new_context(base_url=home.address, java_script_enabled=False)
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    page.goto("/")
    sign_in(page, home.email, home.password)
    expect(page.get_by_role("heading", name="What runs")).to_be_visible()
    links = page.get_by_role("navigation", name="Main").get_by_role("link")

    page.set_viewport_size({"width": 1280, "height": 800})
    wide = links.all_inner_texts()
    tops = [links.nth(number).bounding_box() for number in range(links.count())]
    page.set_viewport_size({"width": 390, "height": 800})
    hidden = links.count()
    page.locator("summary", has_text="Menu").focus()
    page.keyboard.press("Enter")
    narrow = links.all_inner_texts()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/tasks")

    assert {"Home", "Tasks", "Automations", "Data pools", "Errors", "Logs", "Credentials", "Workspace"} <= set(wide)
    assert len({round(box["x"]) for box in tops}) == 1, "one below the other"
    assert max(box["y"] + box["height"] for box in tops) < 800, "all are on the screen"
    assert (hidden, narrow) == (0, wide)
    context.close()


def test_a_form_without_its_token_is_refused(home: Any) -> None:
    answer = requests.post(f"{home.address}/sign-in", data={"email": home.email, "password": home.password})

    assert answer.status_code == 400


@pytest.mark.parametrize("megabytes", [20, pytest.param(100, marks=pytest.mark.long)])
def test_a_line_of_many_megabytes_leaves_the_page_alive(
    page: Page, home: Any, command_bot: Bot, megabytes: int
) -> None:
    source = f"""
        import os, time
        os.write(1, b"first line\\n")
        for _ in range({megabytes * 10}):
            os.write(1, b"x" * 100_000)
        os.write(1, b"\\nlast line\\n")
        for step in range(1001):
            os.write(2, b"\\r%d per mille" % step)
    """
    home.deploy(command_bot("wide", source))
    home.automate("wide", "wide")
    home.start_runner()
    task_id = home.new_task("wide")

    page.goto(f"/tasks/{task_id}")

    page.wait_for_selector("#output[data-ended=yes]", timeout=120_000)
    output = page.locator("#output")
    expect(output).to_contain_text("last line")
    expect(output).to_contain_text("1000 per mille")
    assert "999 per mille" not in (output.text_content() or ""), "a progress bar stays one line"
    expect(output).to_contain_text("What was printed first is not shown any more")
    assert "first line" not in (output.text_content() or "")
    longest, letters, heap = page.evaluate(
        "() => { const lines = [...document.querySelectorAll('.output-line')].map(line => line.textContent.length);"
        "return [Math.max(...lines), lines.reduce((a, b) => a + b), performance.memory.usedJSHeapSize]; }"
    )
    assert longest <= 16 * 1024 + 1
    assert letters < 17 * 1024 * 1024
    assert heap < 300_000_000
    page.evaluate("document.getElementById('output').scrollTop = 0")
    expect(output.locator(".output-block").first).to_be_in_viewport()
