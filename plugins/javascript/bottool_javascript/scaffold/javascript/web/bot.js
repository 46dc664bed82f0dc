"use strict";

// The bot "__BOT_ID__": opens a page in a browser, and tells how many orders it found there.
//
// A runner starts it with four arguments: the server's address, the task's number, a token for this task, and the
// workspace. Without arguments it runs offline, which is handy while you write it.

const fs = require("node:fs");
const path = require("node:path");
const { pathToFileURL } = require("node:url");

const { chromium } = require("playwright-core");

const PAGE = pathToFileURL(path.join(__dirname, "page.html")).href;
const NAMES = ["google-chrome", "google-chrome-stable", "chromium", "chromium-browser", "chrome.exe", "msedge.exe"];
// Where browsers are that are not on the path, below the folders for programs of each system.
const PROGRAMS = [process.env.PROGRAMFILES, process.env["PROGRAMFILES(X86)"], "/Applications"];
const PLACES = [
  "Google/Chrome/Application/chrome.exe",
  "Microsoft/Edge/Application/msedge.exe",
  "Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** The task on the server, as far as this bot needs it. */
class Task {
  constructor(server, number, token) {
    this.address = `${server.replace(/\/+$/, "")}/api/v2/task/${number}`;
    this.token = token;
  }

  /** The task; its parameters are under "parameters". */
  read() {
    return this.send({ method: "GET" });
  }

  finish(status, message, items) {
    return this.send({
      method: "POST",
      body: JSON.stringify({
        state: "FINISHED",
        finishStatus: status,
        finishMessage: message,
        totalItems: items,
        processedItems: items,
        failedItems: 0,
      }),
    });
  }

  async send(request) {
    const headers = { token: this.token, "Content-Type": "application/json" };
    const response = await fetch(this.address, { ...request, headers, signal: AbortSignal.timeout(30_000) });
    if (!response.ok) {
      throw new Error(`${this.address} answered ${response.status}: ${await response.text()}`);
    }
    return response.json();
  }
}

/** The path of a browser that this bot can use, or an empty text. */
function findBrowser(folders = (process.env.PATH ?? "").split(path.delimiter)) {
  const named = folders.flatMap((folder) => NAMES.map((name) => path.join(folder, name)));
  const installed = PROGRAMS.flatMap((folder) => (folder ? PLACES.map((place) => path.join(folder, place)) : []));
  return [...named, ...installed].find((file) => fs.existsSync(file)) ?? "";
}

/** Opens the page and returns the texts of its orders; no window is shown. */
async function readOrders(executablePath, address) {
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage();
    await page.goto(address);
    return await page.locator(".order").allTextContents();
  } finally {
    await browser.close();
  }
}

async function main([server, number, token]) {
  const task = token === undefined ? null : new Task(server, number, token);
  const { parameters } = task === null ? { parameters: {} } : await task.read();
  const browser = findBrowser();
  if (!browser) {
    console.log("No browser on this machine: nothing was read.");
    await task?.finish("PARTIALLY_COMPLETED", "No browser on this machine: nothing was read.", 0);
    return;
  }
  const orders = await readOrders(browser, parameters.address ?? PAGE);
  console.log(`${orders.length} orders: ${orders.join(", ")}`);
  await task?.finish("SUCCESS", "All orders are read.", orders.length);
}

module.exports = { findBrowser };

if (require.main === module) {
  main(process.argv.slice(2)).catch((error) => {
    console.error(error);
    process.exitCode = 1;
  });
}
