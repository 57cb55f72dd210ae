/** What the measured processes of `npm run bench -- aggregate` say about themselves: memory, copies, medians. */
import { readFileSync, writeFileSync } from "node:fs";

/**
 * From now on, the peak counts from here. Returns the bytes that are resident now, and whether the peak is known: Linux counts it anew
 * if `5` is written to /proc/self/clear_refs; elsewhere only the peak of the whole life is known, and only if it is higher.
 */
export function startPeak() {
  globalThis.gc?.();
  try {
    writeFileSync("/proc/self/clear_refs", "5");
    const resident = statusBytes("VmRSS");
    return { resident, isReset: true, extraPeakBytes: () => Math.max(0, statusBytes("VmHWM") - resident) };
  } catch {
    const resident = process.memoryUsage.rss();
    const peak = () => process.resourceUsage().maxRSS * 1024;
    return { resident, isReset: false, extraPeakBytes: () => Math.max(0, peak() - resident) };
  }
}

/** Peak of the resident memory, of the whole life of the process or since `startPeak`. */
export function peakBytes() {
  try {
    return statusBytes("VmHWM");
  } catch {
    return process.resourceUsage().maxRSS * 1024;
  }
}

function statusBytes(name) {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(readFileSync("/proc/self/status", "utf8"));
  if (found === null) throw new Error(`no ${name} in /proc/self/status`);
  return Number(found[1]) * 1024;
}

/**
 * Seconds in which one thread copies so much that reads and writes together are `bytes`, between two plain buffers that were touched
 * before, so large that no cache holds them. Small amounts are too short to time: at least a whole buffer is copied, and
 * the time is scaled down.
 */
export function openMemcpy(bytes, bufferBytes) {
  const [from, to] = [new Uint8Array(bufferBytes).fill(1), new Uint8Array(bufferBytes).fill(2)];
  const wanted = Math.ceil(bytes / 2);
  const copied = Math.max(wanted, bufferBytes);
  return () => {
    const start = performance.now();
    for (let done = 0; done < copied; done += bufferBytes) {
      const count = Math.min(bufferBytes, copied - done);
      to.set(count === bufferBytes ? from : from.subarray(0, count));
    }
    return ((performance.now() - start) / 1000) * (wanted / copied);
  };
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Median, smallest and largest. */
export function spreadOf(values) {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}
