import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ComparisonOutcome } from "./compare.js";
import { parseScenario } from "./config/parse.js";
import { parseResult } from "./parse-result.js";
import { renderDecision } from "./report/decision/index.js";
import { renderReport } from "./report/render-report.js";
import { serializeResult } from "./serialize.js";
import { renderCsv } from "./tables/csv.js";
import { renderLatex } from "./tables/latex.js";
import { renderMarkdown } from "./tables/markdown.js";
import { compareTiny } from "./testing/tiny.js";

const REASON = "all test labels are of one class";
let dir = "";
let outcome: ComparisonOutcome;

/** Two plants; the second never failed, so its AUROC does not exist. */
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "kumiai-left-out-"));
  const csv = (state: (t: number) => number) =>
    `t,x,state,wear\n${Array.from({ length: 200 }, (_, t) => `${t},${(t * 7) % 11},${state(t)},${t % 13}`).join("\n")}\n`;
  await writeFile(
    join(dir, "a.csv"),
    csv((t) => Number(t % 11 > 5)),
  );
  await writeFile(
    join(dir, "b.csv"),
    csv(() => 0),
  );
  const scenario = parseScenario(
    `name: one-class
data:
  kind: csv
  time: t
  targets: { state: { kind: binary }, wear: { kind: number } }
  window: { length: 4, stride: 2 }
  split: { blockLength: 3 }
model: { stem: { width: 4 }, encoder: { channels: [4, 4], kernel: 3 }, decoder: { width: 4 } }
training: { rounds: 1, localEpochs: 1, batchSize: 8, warmupRounds: 0 }
clients:
  - { id: a, file: a.csv, tasks: [state, wear] }
  - { id: b, file: b.csv, tasks: [state, wear] }
`,
    join(dir, "own.yaml"),
  );
  outcome = await compareTiny({ scenario, strategies: ["local", "fedavg"], seeds: [1, 2] });
});
afterAll(() => rm(dir, { recursive: true }));

test("AUROC of one class is null in result.json with the reason; every mean is a number", () => {
  const text = serializeResult(outcome.result);
  const { strategies } = parseResult(text, "result.json");
  for (const { perSeed, relativeGainPercent, notAboveConstant } of Object.values(strategies)) {
    expect(notAboveConstant).not.toContain("b/state");
    expect(relativeGainPercent).toBeTypeOf("number");
    for (const { clients } of Object.values(perSeed)) {
      expect(clients.b?.tasks.state).toMatchObject({ value: null, aboveConstant: null, leftOut: "oneClass" });
      expect(clients.b?.relativeGainPercent).toBe(clients.b?.tasks.wear?.relativeGainPercent);
    }
  }
});

test("every table and page names it with the reason, and none shows NaN, null or a zero in its place", () => {
  const { result } = outcome;
  const decision = renderDecision(result, { languages: ["en", "ja"] });
  const report = renderReport({ ...outcome });
  const pages = [renderMarkdown(result), renderLatex(result), report, decision?.page ?? "", decision?.text ?? ""];
  for (const page of pages) {
    expect(page).toContain(REASON);
    expect(page).not.toMatch(/\bNaN\b|>null<|undefined/);
  }
  expect(pages[0]).toMatch(/\| fedavg \|[^|]+\|[^|]+\| n\/a \|/);
  expect(report).toMatch(
    /<b>b<\/b> · state: AUROC[^\n]*<p class="small soft">n\/a: all test labels are of one class<\/p>/,
  );
  for (const page of [report, decision?.page]) expect(page).toContain("テスト用のラベルが 1 種類しかないため");
  const lines = renderCsv(result)
    .split("\n")
    .filter((line) => line.includes(",b,csv,state,"));
  expect(lines.map((line) => line.slice(line.indexOf("true,")))).toEqual(new Array(4).fill("true,,,,,,oneClass"));
});

test("a result that was read from its file makes the same pages", () => {
  const read = parseResult(serializeResult(outcome.result), "result.json");
  expect(renderMarkdown(read)).toBe(renderMarkdown(outcome.result));
  const options = { languages: ["en", "ja"] as const };
  expect(renderDecision(read, options)?.text).toBe(renderDecision(outcome.result, options)?.text);
});
