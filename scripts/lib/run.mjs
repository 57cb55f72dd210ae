/** Running other programs. */
import { spawn } from "node:child_process";
import { root } from "./say.mjs";

/**
 * Runs `command` in the repository root and resolves to its exit code (128 + signal number when a signal ended it).
 * Our own Ctrl-C handling waits for the child: a terminal sends SIGINT to both, and the child decides how to end.
 * `quiet` collects the output and hands it to `onFailure` only if the exit code is not 0.
 */
export function run(command, args, { env = {}, quiet = false, onFailure = (_output) => {} } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: quiet ? ["ignore", "pipe", "pipe"] : ["ignore", "inherit", "inherit"],
      shell: process.platform === "win32" && command === "npm",
    });
    const output = [];
    child.stdout?.on("data", (chunk) => output.push(chunk));
    child.stderr?.on("data", (chunk) => output.push(chunk));
    const wait = () => {};
    const forward = () => child.kill("SIGTERM");
    process.on("SIGINT", wait);
    process.on("SIGTERM", forward);
    const release = () => {
      process.off("SIGINT", wait);
      process.off("SIGTERM", forward);
    };
    child.on("error", (error) => {
      release();
      reject(error);
    });
    child.on("close", (code, signal) => {
      release();
      const status = code ?? (signal === "SIGINT" ? 130 : signal === "SIGTERM" ? 143 : 137);
      if (status !== 0) onFailure(Buffer.concat(output).toString("utf8"));
      resolve(status);
    });
  });
}

/** Runs a program that a package of ours installed, by its JavaScript entry: no shell, no `npx`. */
export function runNode(entry, args, options) {
  return run(process.execPath, [entry, ...args], options);
}
