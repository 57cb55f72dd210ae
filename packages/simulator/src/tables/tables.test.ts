import { expect, test } from "vitest";
import { syntheticResult } from "../report/testing/synthetic-result.js";
import type { StrategyResult } from "../result.js";
import { serializeResult } from "../serialize.js";
import { CSV_COLUMNS, renderCsv } from "./csv.js";
import { escapeLatex, renderLatex } from "./latex.js";
import { renderMarkdown } from "./markdown.js";
import { strategyRows, UNDEFINED, valueRows } from "./summary.js";

const result = syntheticResult({ atConstant: ["plant-a/edge"] });
/** As a reader of result.json has it. */
const read = JSON.parse(serializeResult(result)) as typeof result;

test("the CSV has each strategy, seed, site and task once, with exactly the numbers of result.json", () => {
  const [head, ...lines] = renderCsv(result).trimEnd().split("\n");
  expect(head).toBe(CSV_COLUMNS.join(","));
  const names = Object.keys(read.strategies);
  expect(lines).toHaveLength(names.length * read.seeds.length * 12);
  expect(names).toEqual(expect.arrayContaining(["pooled", "self-extrapolation"]));
  for (const line of lines) {
    const [, strategy = "", , seed = "", site = "", , task = "", , , , value, alone, constant, above, gain] =
      line.split(",");
    const taskIn = (name: string) => read.strategies[name]?.perSeed[seed]?.clients[site]?.tasks[task];
    const found = taskIn(strategy);
    expect([Number(value), Number(alone), Number(constant), above === "true", Number(gain)]).toEqual([
      found?.value,
      taskIn("local")?.value,
      found?.constant,
      found?.aboveConstant,
      found?.relativeGainPercent,
    ]);
  }
});

test("without training alone the CSV leaves its values empty", () => {
  const { strategies } = syntheticResult({ gains: { local: 0, fedhca2: 1 } });
  const fedhca2 = { fedhca2: strategies.fedhca2 as StrategyResult };
  const [head = "", line = ""] = renderCsv({ ...result, baseline: null, strategies: fedhca2 }).split("\n");
  expect(line.split(",")[head.split(",").indexOf("local_value")]).toBe("");
});

test("names with commas and quotes survive the CSV", () => {
  const line = renderCsv(syntheticResult({ name: 'a "b", c' })).split("\n")[1] ?? "";
  expect(line.startsWith('"a ""b"", c",local,local,1,')).toBe(true);
});

test("Markdown and LaTeX show every strategy and the constant with the numbers of result.json to two decimals", () => {
  const markdown = renderMarkdown(read);
  const latex = renderLatex(read);
  for (const { name, isBaseline, strategy } of strategyRows(read)) {
    if (isBaseline) continue;
    const { relativeGainPercent: gain, relativeGainStdPercent: std } = strategy;
    const shown = `${(gain ?? 0) < 0 ? "−" : "+"}${Math.abs(gain ?? 0).toFixed(2)} ± ${(std ?? 0).toFixed(2)}`;
    expect(markdown).toContain(`| ${name} | ${shown} |`);
    expect(latex).toContain(`  ${name} & $${shown.replace("−", "-").replace("±", "\\pm")}$ &`);
  }
  for (const { name, cells } of valueRows(read)) {
    const [edge] = cells;
    if (edge === null || edge === undefined || edge === UNDEFINED) throw new Error("the first task has values");
    const values = read.seeds.map((seed) => {
      const owner = read.strategies[name === "constant" ? "local" : name];
      const task = owner?.perSeed[String(seed)]?.clients["plant-a"]?.tasks.edge;
      return (name === "constant" ? task?.constant : task?.value) ?? Number.NaN;
    });
    expect(edge.mean).toBeCloseTo(values.reduce((a, b) => a + b) / values.length, 9);
    expect(markdown).toContain(`| ${name} | ${edge.mean.toFixed(2)} ± ${edge.std?.toFixed(2)} |`);
    expect(latex).toContain(`  ${name} & $${edge.mean.toFixed(2)} \\pm ${edge.std?.toFixed(2)}$ &`);
  }
});

test("says what is missing and what is not finished", () => {
  const partial = { ...syntheticResult({ gains: { local: 0, fedhca2: 1 } }), complete: false };
  for (const text of [renderMarkdown(partial), renderLatex(partial)]) {
    expect(text).toMatch(/Not run( here)?: fedavg, self-extrapolation, pooled\./);
    expect(text).toMatch(/Not finished/);
  }
});

test("every row of a table has as many cells as its head, also with odd names", () => {
  const odd = syntheticResult({ name: "50%_#&{x}", gains: { local: 0, a_b: 1 } });
  const rows = renderLatex(odd)
    .split("\n")
    .filter((line) => line.endsWith("\\\\"));
  const cells = rows.map((line) => line.split(/(?<!\\)&/).length);
  expect(new Set(cells)).toEqual(new Set([8, 13]));
  expect(escapeLatex("50%_#&{x}\\")).toBe("50\\%\\_\\#\\&\\{x\\}\\textbackslash{}");
  const lines = renderMarkdown(odd)
    .split("\n")
    .filter((line) => line.startsWith("|"));
  expect(new Set(lines.map((line) => line.split("|").length))).toEqual(new Set([15]));
});
