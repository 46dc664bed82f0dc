// Run with: npm test

import assert from "node:assert";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";

import { findBrowser } from "../dist/bot.js";

test("a browser is found in the folders that are looked through", () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "browsers-"));
  fs.writeFileSync(path.join(folder, "chromium"), "");

  const found = findBrowser([folder]);

  fs.rmSync(folder, { recursive: true });
  assert.strictEqual(found, path.join(folder, "chromium"));
});
