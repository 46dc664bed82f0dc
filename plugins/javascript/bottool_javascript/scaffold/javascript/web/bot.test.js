"use strict";

// Run with: npm test

const assert = require("node:assert");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { test } = require("node:test");

const { findBrowser } = require("./bot.js");

test("a browser is found in the folders that are looked through", () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "browsers-"));
  fs.writeFileSync(path.join(folder, "chromium"), "");

  const found = findBrowser([folder]);

  fs.rmSync(folder, { recursive: true });
  assert.strictEqual(found, path.join(folder, "chromium"));
});
