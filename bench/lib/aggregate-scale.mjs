/** One round over so many sparse files that only streaming can do it. Runs in a process of its own. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { createStrategy } from "@kumiai/algorithms";
import { openCase } from "./aggregate-cases.mjs";
import { checkRound } from "./aggregate-check.mjs";
import { openRounds, sampleFiles, writeInputs } from "./aggregate-files.mjs";
import { peakBytes } from "./aggregate-process.mjs";

/** `{ federation, threads, strategy, folder }`. Two rounds, so that the second one has hyper-weights to learn. */
export async function measureScale({ federation: sizes, threads, strategy, folder }) {
  const federation = openCase({ ...sizes, isSparse: true });
  const places = await writeInputs(federation, folder);
  const inputDiskBytes = ["base", "local"].reduce((sum, stage) => sum + diskBytes(join(folder, stage)), 0);
  const rounds = openRounds({ places, threads, folder, strategy: createStrategy("fedhca2", strategy) });
  const results = [];
  const next = async () => {
    const { diagnostics, ...result } = await rounds.next();
    results.push({ ...result, peakBytes: peakBytes() });
    return diagnostics;
  };
  // What the first round says is not kept: a server has no use for it in the second one.
  await next();
  await rounds.release();
  const diagnostics = await next();
  const samples = await sampleFiles(federation, places);
  return {
    clientCount: sizes.clientCount,
    encoderSize: sizes.encoderSize,
    paramCount: federation.paramCount,
    gramSource: diagnostics.gramSource,
    peakBytes: Math.max(...results.map((result) => result.peakBytes)),
    residentBytes: rounds.peaks[0].resident,
    rounds: results,
    inputDiskBytes,
    outputDiskBytes: diskBytes(join(folder, "out")),
    checkedElements: checkRound(federation, diagnostics, samples),
  };
}

/** What `du` says: holes take no room. */
function diskBytes(folder) {
  return 1024 * Number(execFileSync("du", ["-sk", folder], { encoding: "utf8" }).split("\t")[0]);
}
