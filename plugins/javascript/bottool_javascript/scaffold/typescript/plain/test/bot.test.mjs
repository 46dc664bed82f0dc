// Run with: npm test

import assert from "node:assert";
import { test } from "node:test";

import { workOn } from "../dist/bot.js";

test("each item is told with the number of all", () => {
  assert.strictEqual(workOn(2), "Item 2 of 5: done");
});
