// The bot "__BOT_ID__".
//
// A runner starts it with four arguments: the server's address, the task's number, a token for this task, and the
// workspace. Without arguments it runs offline, which is handy while you write it.

// The part of Node.js that this bot uses; install @types/node for all of it, and remove these lines.
declare const process: { argv: string[]; exitCode: number };
declare const require: { main: unknown };
declare const module: unknown;

const ITEMS = 5;

interface TaskDescription {
  parameters: Record<string, unknown>;
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

  async finish(items: number): Promise<void> {
    await this.send({
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

  private async send(request: RequestInit): Promise<TaskDescription> {
    const headers = { token: this.token, "Content-Type": "application/json" };
    const response = await fetch(this.address, { ...request, headers, signal: AbortSignal.timeout(30_000) });
    if (!response.ok) {
      throw new Error(`${this.address} answered ${response.status}: ${await response.text()}`);
    }
    return (await response.json()) as TaskDescription;
  }
}

/** The work on one item; returns what to print. */
export function workOn(item: number): string {
  return `Item ${item} of ${ITEMS}: done`;
}

async function main([server, number, token]: string[]): Promise<void> {
  const task = server && number && token ? new Task(server, number, token) : null;
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

if (require.main === module) {
  main(process.argv.slice(2)).catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  });
}
