import { describe, expect, test } from "vitest";
import { syntheticResult } from "../report/testing/synthetic-result.js";
import type { ComparisonResult } from "../result.js";
import { type SweepResult, serializeSweep, summarizeSweep } from "./summarize.js";
import { type AxisScale, positionsOf } from "./sweep.js";
import { renderSweepPage, renderSweepSvg } from "./sweep-page.js";
import { renderSweepCsv, renderSweepMarkdown } from "./sweep-tables.js";

const SEEDS = [1, 2, 3];
const GAINS = [
  { local: 0, fedavg: -4, fedhca2: 1 },
  { local: 0, fedavg: 2, fedhca2: 3 },
];

function comparisonAt(index: number, complete = true): ComparisonResult {
  return { ...syntheticResult({ seeds: SEEDS, gains: GAINS[index] ?? {}, noise: 0.2 }), complete };
}

function sweepOf(results: readonly ComparisonResult[], scale: AxisScale = "log"): SweepResult {
  const degrees = [1, 100].map((at) => ({ at, label: `${at} <scenes>`, folder: `0-${at}` }));
  const sweep = { name: "few", description: "Few & fewer", base: "b.yaml", axis: { label: "scenes", scale }, degrees };
  return summarizeSweep(sweep, { strategies: ["local", "fedavg", "fedhca2"], seeds: SEEDS }, results);
}

const WHOLE = sweepOf([comparisonAt(0), comparisonAt(1)]);

describe("summarizeSweep", () => {
  test("takes gains, seeds and worst sites from the comparisons as they are", () => {
    const source = comparisonAt(1).strategies.fedavg;
    const found = WHOLE.degrees[1]?.strategies.fedavg;
    expect(found?.relativeGainPercent).toBe(source?.relativeGainPercent);
    expect(Object.values(found?.perSeedGainPercent ?? {})).toEqual(
      Object.values(source?.perSeed ?? {}).map(({ relativeGainPercent }) => relativeGainPercent),
    );
    expect(found?.worstSite?.id).toBe(source?.against?.local?.worstClient);
    expect(WHOLE.complete).toBe(true);
  });

  test("is not complete while a degree is missing or unfinished", () => {
    expect(sweepOf([comparisonAt(0)]).complete).toBe(false);
    expect(sweepOf([comparisonAt(0), comparisonAt(1, false)]).complete).toBe(false);
  });

  test("leaves out strategies without a finished run", () => {
    const result = comparisonAt(0);
    const unfinished = {
      ...result,
      strategies: { ...result.strategies, fedhca2: { ...result.strategies.fedhca2, perSeed: {} } },
    };
    const sweep = sweepOf([unfinished as ComparisonResult, comparisonAt(1)]);
    expect(Object.keys(sweep.degrees[0]?.strategies ?? {})).toEqual(["local", "fedavg"]);
    expect(renderSweepMarkdown(sweep)).toContain("| fedhca2 | – | +");
    expect(renderSweepPage({ sweep, command: "" })).toContain("<td>n/a</td>");
  });
});

test("names tasks that have no part in Δ% wherever the gains stand", () => {
  const result = structuredClone(comparisonAt(1));
  const [site] = result.scenario.clients;
  for (const { perSeed } of Object.values(result.strategies)) {
    const task = perSeed["2"]?.clients[site?.id ?? ""]?.tasks[site?.tasks[0]?.id ?? ""];
    Object.assign(task ?? {}, { leftOut: "oneClass" });
  }
  const sweep = sweepOf([comparisonAt(0), result]);
  expect(sweep.degrees.map(({ notes }) => notes.length)).toEqual([0, 1]);
  for (const text of [renderSweepMarkdown(sweep), renderSweepPage({ sweep, command: "" })]) {
    expect(text).toMatch(/at 100 .*seed 2\): all test labels are of one class/);
  }
  expect(renderSweepMarkdown(WHOLE) + renderSweepPage({ sweep: WHOLE, command: "" })).not.toContain("Left out");
});

test("positions are values, logarithms or places in the row", () => {
  const degrees = [{ at: 1 }, { at: 100 }];
  expect(positionsOf("linear", degrees)).toEqual([1, 100]);
  expect(positionsOf("log", degrees)).toEqual([0, 2]);
  expect(positionsOf("category", degrees)).toEqual([0, 1]);
});

describe("what shows a sweep", () => {
  const page = renderSweepPage({ sweep: WHOLE, command: "npx kumiai sweep few.yaml" });

  test("has no script, escapes texts, names the command and leads to the degrees' reports", () => {
    expect(page).not.toContain("<script");
    expect(page).not.toContain("<scenes>");
    expect(page).toContain("Few &amp; fewer");
    expect(page).toContain("npx kumiai sweep few.yaml");
    expect(page).toContain('href="0-100/report.html"');
  });

  test("draws one line for each strategy but the baseline, with a mark at each degree in order of the axis", () => {
    for (const color of ["var(--s1)", "var(--s2)"]) {
      const path =
        new RegExp(`<path d="M([^"]*)" fill="none" stroke="${color.replace(/[()]/g, "\\$&")}"`).exec(page)?.[1] ?? "";
      const xs = path.split("L").map((pair) => Number(pair.split(" ")[0]));
      expect(xs).toHaveLength(2);
      expect(xs[0]).toBeLessThan(xs[1] ?? 0);
    }
    expect(page).not.toContain('stroke="var(--s3)"');
    expect(page.match(/>1 &lt;scenes&gt;<\/text>/g)).toHaveLength(1);
  });

  test("is the same bytes for the same sweep, and holds nothing that is not a number", () => {
    expect(renderSweepPage({ sweep: WHOLE, command: "npx kumiai sweep few.yaml" })).toBe(page);
    expect(page + renderSweepSvg(WHOLE)).not.toMatch(/NaN|Infinity|undefined/);
  });

  test("the picture alone has its colors, its legend and the axis' name", () => {
    const svg = renderSweepSvg(WHOLE);
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/);
    expect(svg).toContain("--s1:");
    for (const text of [
      "<title>Δ % over",
      ">fedavg</text>",
      ">fedhca2</text>",
      "over training alone, by scenes</text>",
    ])
      expect(svg).toContain(text);
  });

  test("tables have a column a degree, and a line a degree, strategy and seed", () => {
    expect(renderSweepMarkdown(WHOLE)).toContain("| strategy | 1 <scenes> | 100 <scenes> |");
    const lines = renderSweepCsv(WHOLE).trim().split("\n");
    expect(lines[0]).toBe("sweep,at,label,strategy,seed,gain_percent");
    expect(lines).toHaveLength(1 + 2 * 3 * 3);
  });

  test("a sweep that has not begun is an empty frame, not a failure", () => {
    const empty = sweepOf([]);
    expect(renderSweepPage({ sweep: empty, command: "" }) + renderSweepSvg(empty)).not.toMatch(/NaN|undefined/);
    expect(JSON.parse(serializeSweep(empty)).degrees).toEqual([]);
  });
});
