/** How an error looks to the person at the terminal, and what the process ends with. */
import { existsSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { ERROR_CODES, type ErrorCode, KumiaiError } from "@kumiai/params";
import type { CommanderError } from "commander";
import type { Io } from "./io.js";

/** A bug of ours (EX_SOFTWARE of sysexits.h). */
export const BUG_EXIT_CODE = 70;

/** What commander says of a wrong command line, as an error like all others; `help` is the call that says what is right. */
export function usageError({ message }: CommanderError, help: string): KumiaiError {
  const problem = message
    .replace(/^error: /, "")
    .replace(/\.$/, "")
    .replace("\n(Did", " (did");
  return new KumiaiError("INVALID_USAGE", `${problem}; see \`${help}\``);
}

/** Prints `error` and returns the exit code that goes with it. */
export function reportError(error: unknown, io: Io): number {
  const { colors, env } = io;
  const label = colors.red(colors.bold("error"));
  if (error instanceof KumiaiError) {
    io.err(`${label} ${colors.bold(error.code)}: ${error.message}\n`);
    io.err(colors.dim(`what it means and what to do: ${pageOf(error.code)}\n`));
  } else {
    const message = error instanceof Error ? error.message : String(error);
    io.err(`${label}: ${message}\n`);
    if (!env.KUMIAI_DEBUG) io.err(colors.dim("this looks like a bug; set KUMIAI_DEBUG=1 for the stack\n"));
  }
  if (env.KUMIAI_DEBUG) io.err(`${stackOf(error)}\n`);
  return error instanceof KumiaiError ? ERROR_CODES[error.code].exitCode : BUG_EXIT_CODE;
}

/** Path of the page about `code`, as short as it can be said from here. */
function pageOf(code: ErrorCode): string {
  const absolute = fileURLToPath(new URL(`../../../docs/errors/${code}.md`, import.meta.url));
  if (!existsSync(absolute)) return `docs/errors/${code}.md`;
  const fromHere = relative(process.cwd(), absolute);
  return fromHere.startsWith("..") ? absolute : fromHere;
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `\ncaused by: ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
