/** Output of the scripts: one line a step, no colors outside a terminal. */
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

const colored = process.stdout.isTTY === true && !process.env.NO_COLOR;

export function say(text) {
  process.stdout.write(colored ? `\u001b[2m${text}\u001b[22m\n` : `${text}\n`);
}

export function complain(text) {
  process.stderr.write(`${text}\n`);
}

/** `1.2 s` or `2 min 05 s`, since `start` (milliseconds of `performance.now()`). */
export function since(start) {
  const seconds = (performance.now() - start) / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${String(Math.floor(seconds % 60)).padStart(2, "0")} s`;
}
