/**
 * Makes a fresh clone usable: the right Node, the dependencies, the build. Uses nothing but Node itself, since it runs
 * before anything is installed. Does nothing, quickly, when all is in place.
 */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { installHash, installState, stampPath } from "./install-state.mjs";
import { compileKernels } from "./kernels.mjs";
import { run, runNode } from "./run.mjs";
import { complain, root, say, since } from "./say.mjs";

const NODE_AT_LEAST = { major: 20, minor: 19 };

export class StepFailed extends Error {
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** `version` as in `process.versions.node`. */
export function nodeIsRecent(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > NODE_AT_LEAST.major || (major === NODE_AT_LEAST.major && minor >= NODE_AT_LEAST.minor);
}

export function ensureNode(version = process.versions.node) {
  if (nodeIsRecent(version)) return;
  throw new StepFailed(
    `Kumiai needs Node ${NODE_AT_LEAST.major}.${NODE_AT_LEAST.minor} or newer; this is Node ${version}. ` +
      "Install a newer one (https://nodejs.org, or `nvm install --lts`) and run the command again.",
  );
}

const WHY = {
  missing: "node_modules is missing",
  outdated: "node_modules does not match package-lock.json",
  unlocked: "package-lock.json does not know all that the manifests ask for",
};

export async function ensureInstalled() {
  const state = installState(root);
  if (state === "current") return;
  if (state !== "unstamped") {
    say(`install: ${WHY[state]}; fetching packages (about a minute with an empty cache) …`);
    const start = performance.now();
    await install(state === "unlocked" ? "install" : "ci");
    say(`install: done in ${since(start)}`);
  }
  writeFileSync(stampPath(root), `${installHash(root)}\n`);
}

/** `command`: "ci" follows the lock to the letter; "install" completes the lock. */
async function install(command) {
  let output = "";
  const status = await run("npm", [command, "--include=dev", "--no-fund", "--no-audit", "--loglevel=error"], {
    quiet: true,
    onFailure: (text) => {
      output = text;
    },
  });
  if (status === 0) return;
  if (command === "ci" && output.includes("EUSAGE")) {
    say("install: npm ci finds package-lock.json incomplete; running npm install instead …");
    return install("install");
  }
  complain(output);
  throw new StepFailed(
    `npm ${command} failed with exit code ${status}; its output is above. Is the package registry reachable?`,
  );
}

export async function ensureBuilt() {
  const start = performance.now();
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  if (!existsSync(tsc)) throw new StepFailed("typescript is not installed; remove node_modules and run again");
  const status = await runNode(tsc, ["-b"]);
  if (status !== 0) throw new StepFailed("build: TypeScript reported the errors above", status);
  const compiled = await compileKernels();
  if (compiled !== 0) throw new StepFailed("build: AssemblyScript reported the errors above", compiled);
  say(`build: up to date (${since(start)})`);
}

/** Node, then dependencies, then build. Throws StepFailed with a message for people. */
export async function ensure() {
  ensureNode();
  await ensureInstalled();
  await ensureBuilt();
}

/** The frame of every script: a StepFailed becomes its message and its exit code. */
export async function script(main) {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    complain(error.message);
    process.exitCode = error.exitCode;
  }
}
