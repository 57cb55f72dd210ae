/** Which process we are, and whether another one still runs: for locks that outlive a process that was killed. */
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import type { ProcessIdentity } from "@kumiai/params";

export function processIdentity(): ProcessIdentity {
  return { pid: process.pid, mark: markOf(hostname(), startOf(process.pid)), isAlive };
}

/** On another machine or in another container nobody can look: that process counts as alive. */
export function isAlive(pid: number, mark?: string): boolean {
  const [host, start] = mark === undefined ? [] : splitMark(mark);
  if (host !== undefined && host !== hostname()) return true;
  return runs(pid) && (start === undefined || start === startOf(pid));
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process may not be signaled, but it is there.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

function markOf(host: string, start: string | undefined): string {
  return start === undefined ? host : `${host} ${start}`;
}

function splitMark(mark: string): readonly [string, string | undefined] {
  const at = mark.indexOf(" ");
  return at === -1 ? [mark, undefined] : [mark.slice(0, at), mark.slice(at + 1)];
}

/** Boot and clock ticks since then, where the system tells: no two processes with one id have the same. */
function startOf(pid: number): string | undefined {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field, the program's name in parentheses, may hold anything.
    const ticks = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    return ticks === undefined ? undefined : `${boot} ${ticks}`;
  } catch {
    return undefined;
  }
}
