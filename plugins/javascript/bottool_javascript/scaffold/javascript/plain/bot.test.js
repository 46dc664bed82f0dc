"use strict";

// Run with: npm test

const assert = require("node:assert");
const { test } = require("node:test");

const { workOn } = require("./bot.js");

test("each item is told with the number of all", () => {
  assert.strictEqual(workOn(2), "Item 2 of 5: done");
});
