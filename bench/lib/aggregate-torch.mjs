/** The same round in PyTorch, see aggregate_torch.py, in a process of its own. */
import { fileURLToPath } from "node:url";
import { median } from "./aggregate-process.mjs";
import { pythonsWithTorch } from "./torch-pythons.mjs";

const SCRIPT = fileURLToPath(new URL("../aggregate_torch.py", import.meta.url));

/** Of each PyTorch that is found; or why there is none. `ours`: the result in memory. */
export async function compareWithTorch({ paper, repeats, threads, python: candidates }, ours, children) {
  const pythons = pythonsWithTorch(candidates);
  if (pythons.length === 0) {
    return { skipped: `none of ${candidates.join(", ")} has torch (Debian: python3-torch; or --python PATH)` };
  }
  const sizes = {
    clients: paper.clientCount,
    encoder: paper.encoderSize,
    decoders: paper.clientCount - 1 + paper.lastTasks,
    "decoder-size": paper.decoderSize,
    threads,
    repeats,
  };
  const args = Object.entries(sizes).flatMap(([name, value]) => [`--${name}`, `${value}`]);
  const results = [];
  for (const python of pythons) {
    const result = JSON.parse(await children.output(python, [SCRIPT, ...args]));
    const seconds = median(result.seconds);
    results.push({ ...result, python, seconds, timesOurs: seconds / ours.seconds, raw: { seconds: result.seconds } });
  }
  const fastest = Math.min(...results.map(({ seconds }) => seconds));
  return { results, timesOurs: fastest / ours.seconds };
}
