/** Processes that are measured, one at a time, and that end when the bench is interrupted. */
import { spawn } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ENTRY = fileURLToPath(new URL("./aggregate-child.mjs", import.meta.url));
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];

/** `folder`: each case gets an empty one below it, which is removed afterwards. */
export function openChildren(folder) {
  let current;
  let interrupted = false;
  let count = 0;
  const interrupt = () => {
    interrupted = true;
    current?.child.kill("SIGKILL");
  };
  for (const signal of SIGNALS) process.on(signal, interrupt);

  /** What the command wrote to stdout. Error if it did not end well. */
  const output = async (command, args) => {
    if (interrupted) throw new Error("interrupted");
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    const texts = { stdout: "", stderr: "" };
    for (const stream of ["stdout", "stderr"]) {
      child[stream].setEncoding("utf8").on("data", (text) => {
        texts[stream] += text;
      });
    }
    const ended = new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, signal) => resolve(code ?? signal));
    });
    current = { child, ended };
    const status = await ended;
    if (interrupted) throw new Error("interrupted");
    if (status !== 0) throw new Error(`${command} ended with ${status}: ${lastLines(texts.stderr)}`);
    return texts.stdout;
  };

  return {
    output,
    async run(kind, options) {
      const own = join(folder, `${count++}`);
      mkdirSync(own);
      try {
        const job = JSON.stringify({ kind, ...options, folder: own });
        return JSON.parse(await output(process.execPath, ["--expose-gc", ENTRY, job]));
      } finally {
        rmSync(own, { recursive: true, force: true });
      }
    },
    wasInterrupted: () => interrupted,
    async close() {
      current?.child.kill("SIGKILL");
      await current?.ended.catch(() => undefined);
      for (const signal of SIGNALS) process.off(signal, interrupt);
    },
  };
}

/** The message of an error in a child, without its stack. */
function lastLines(text) {
  const lines = text.trim().split("\n");
  return lines.find((line) => /^\w*Error\b/.test(line)) ?? lines.slice(-3).join("; ");
}
