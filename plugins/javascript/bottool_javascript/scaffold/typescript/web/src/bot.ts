// The bot "__BOT_ID__": opens a page in a browser, and tells how many orders it found there.
//
// A runner starts it with four arguments: the server's address, the task's number, a token for this task, and the
// workspace. Without arguments it runs offline, which is handy while you write it.

import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

import { chromium } from "playwright-core";

const PAGE = pathToFileURL(path.join(__dirname, "..", "page.html")).href;
const NAMES = ["google-chrome", "google-chrome-stable", "chromium", "chromium-browser", "chrome.exe", "msedge.exe"];
// Where browsers are that are not on the path, below the folders for programs of each system.
const PROGRAMS = [process.env.PROGRAMFILES, process.env["PROGRAMFILES(X86)"], "/Applications"];
const PLACES = [
  "Google/Chrome/Application/chrome.exe",
  "Microsoft/Edge/Application/msedge.exe",
  "Google Chrome.app/Contents/MacOS/Google Chrome",
];

interface TaskDescription {
  parameters: { address?: string };
}

/** The task on the server, as far as this bot needs it. */
class Task {
  private readonly address: string;

  constructor(
    server: string,
    number: string,
    private readonly token: string,
  ) {
    this.address = `${server.replace(/\/+$/, "")}/api/v2/task/${number}`;
  }

  read(): Promise<TaskDescription> {
    return this.send({ method: "GET" });
  }

  async finish(status: string, message: string, items: number): Promise<void> {
    await this.send({
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

  private async send(request: RequestInit): Promise<TaskDescription> {
    const headers = { token: this.token, "Content-Type": "application/json" };
    const response = await fetch(this.address, { ...request, headers, signal: AbortSignal.timeout(30_000) });
    if (!response.ok) {
      throw new Error(`${this.address} answered ${response.status}: ${await response.text()}`);
    }
    return (await response.json()) as TaskDescription;
  }
}

/** The path of a browser that this bot can use, or an empty text. */
export function findBrowser(folders: string[] = (process.env.PATH ?? "").split(path.delimiter)): string {
  const named = folders.flatMap((folder) => NAMES.map((name) => path.join(folder, name)));
  const installed = PROGRAMS.flatMap((folder) => (folder ? PLACES.map((place) => path.join(folder, place)) : []));
  return [...named, ...installed].find((file) => fs.existsSync(file)) ?? "";
}

/** Opens the page and returns the texts of its orders; no window is shown. */
async function readOrders(executablePath: string, address: string): Promise<string[]> {
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage();
    await page.goto(address);
    return await page.locator(".order").allTextContents();
  } finally {
    await browser.close();
  }
}

async function main([server, number, token]: string[]): Promise<void> {
  const task = server && number && token ? new Task(server, number, token) : null;
  const { parameters }: TaskDescription = task === null ? { parameters: {} } : await task.read();
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

if (require.main === module) {
  main(process.argv.slice(2)).catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  });
}
