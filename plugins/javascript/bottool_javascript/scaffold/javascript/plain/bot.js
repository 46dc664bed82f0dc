"use strict";

// The bot "__BOT_ID__".
//
// A runner starts it with four arguments: the server's address, the task's number, a token for this task, and the
// workspace. Without arguments it runs offline, which is handy while you write it.

const ITEMS = 5;

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

  finish(items) {
    return this.send({
      method: "POST",
      body: JSON.stringify({
        state: "FINISHED",
        finishStatus: "SUCCESS",
        finishMessage: `All ${items} items are done.`,
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

/** The work on one item; returns what to print. */
function workOn(item) {
  return `Item ${item} of ${ITEMS}: done`;
}

async function main([server, number, token]) {
  const task = token === undefined ? null : new Task(server, number, token);
  if (task === null) {
    console.log("No task given: running offline.");
  } else {
    const { parameters } = await task.read();
    console.log(`Task ${number} with parameters ${JSON.stringify(parameters)}`);
  }
  for (let item = 1; item <= ITEMS; item += 1) {
    console.log(workOn(item));
  }
  if (task !== null) {
    await task.finish(ITEMS);
  }
  console.log("Finished.");
}

module.exports = { workOn };

if (require.main === module) {
  main(process.argv.slice(2)).catch((error) => {
    console.error(error);
    process.exitCode = 1;
  });
}
