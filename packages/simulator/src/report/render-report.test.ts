import { parseTaskId } from "@kumiai/params";
import { describe, expect, it } from "vitest";
import type { ComparisonResult, PictureSet, ScenarioClient } from "../result.js";
import { renderReport } from "./render-report.js";
import { DEFAULT_GAINS, syntheticPictures, syntheticResult } from "./testing/synthetic-result.js";

const pictures = syntheticPictures(["local", "fedavg", "fedhca2"], 16);
const shapes: Readonly<Record<string, ComparisonResult>> = {
  "five seeds, every kind of strategy": syntheticResult(),
  "one seed": syntheticResult({ seeds: [7], gains: { local: 0, fedavg: -4, fedhca2: 1 } }),
  "no baseline": syntheticResult({ gains: { fedavg: 0, fedhca2: 0 } }),
  "only the baseline": syntheticResult({ gains: { local: 0 } }),
  "absent clients, sparse evaluation": syntheticResult({ absentRounds: { "plant-b": [1, 2, 25] }, everyRounds: 5 }),
  "tasks at their constant": syntheticResult({ atConstant: ["plant-d/normals", "plant-a/edge"] }),
  "no finished run": withoutRuns(syntheticResult()),
  "numbers lost to JSON": JSON.parse(
    JSON.stringify(syntheticResult(), (key, value) => (key === "value" ? null : value)),
  ),
};

describe("renderReport", () => {
  for (const [name, result] of Object.entries(shapes)) {
    const page = renderReport({ result, pictures });

    it(`renders ${name}: well-formed, without NaN, undefined or null in its text`, () => {
      expect(unclosedTags(page)).toEqual([]);
      expect(textOf(page).match(/NaN|undefined|Infinity|\bnull\b|\[object/g)).toBeNull();
      const missing = Object.keys(result.strategies).filter((name) => !page.includes(`<code>${name}</code>`));
      expect(missing).toEqual([]);
    });

    it(`asks for nothing outside the file with ${name}`, () => {
      const withoutPictures = page.replaceAll(/data:image\/png;base64,[^"]*/g, "").replace(/<script>.*<\/script>/s, "");
      expect(withoutPictures.match(/https?:|\/\/[a-z]|<script|<link|<iframe|@import|url\(/gi)).toBeNull();
      for (const [, source] of page.matchAll(/ src="([^"]*)"/g)) expect(source).toMatch(/^data:image\/png;base64,/);
      for (const [, target] of page.matchAll(/ href="([^"]*)"/g)) expect(page).toContain(`id="${target?.slice(1)}"`);
    });
  }

  it("gives the same bytes for the same input, whatever was drawn before", () => {
    const input = { result: syntheticResult(), pictures };
    const first = renderReport(input);
    renderReport({ result: syntheticResult({ seeds: [1] }), pictures: [] });
    expect(renderReport(input)).toBe(first);
  });

  it("escapes every string that comes from outside", () => {
    const evil = `<img src=x onerror="alert('1')">&`;
    const result = syntheticResult({ name: evil, description: evil });
    const client = {
      ...result.scenario.clients[0],
      id: evil,
      domain: evil,
    } as ComparisonResult["scenario"]["clients"][number];
    const hostile: ComparisonResult = {
      ...result,
      kumiaiVersion: evil,
      scenario: { ...result.scenario, configHash: evil, clients: [client, ...result.scenario.clients.slice(1)] },
      strategies: {
        ...result.strategies,
        [evil]: { ...(result.strategies.fedavg as never as object), summary: evil } as never,
      },
    };
    const page = renderReport({
      result: hostile,
      pictures: [{ ...(pictures[0] as PictureSet), client: evil, task: evil }],
      command: evil,
      environment: { [evil]: evil },
    });
    expect(page).not.toContain("<img src=x");
    expect(page).not.toMatch(/onerror="/);
    expect(unclosedTags(page)).toEqual([]);
    expect(page).toContain("&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;");
  });

  it("says how sites were made to differ, sites alike together, and nothing where they were not", () => {
    const result = syntheticResult();
    const page = (differenceOf: (index: number) => Partial<ScenarioClient>) => {
      const clients = result.scenario.clients.map((client, i) => ({ ...client, ...differenceOf(i) }));
      return renderReport({ result: { ...result, scenario: { ...result.scenario, clients } }, pictures: [] });
    };
    expect(page(() => ({}))).not.toContain("Made to differ");
    expect(page(() => ({ classSkew: 0.3 }))).toContain(" Made to differ: all sites: class skew 0.3.</p>");
    expect(
      page((i) => (i === 0 ? { flipTasks: [parseTaskId("semseg")] } : i < 3 ? { classSkew: 1, domainShift: 0.5 } : {})),
    ).toContain(
      " Made to differ: plant-a: contradicting labels of semseg; plant-b and plant-c: class skew 1, domain shift 0.5.</p>",
    );
  });

  it("shows a placeholder where a strategy's picture is missing", () => {
    const page = renderReport({ result: syntheticResult(), pictures: syntheticPictures(["fedhca2"], 16) });
    expect(page).toContain("predicted by Training alone: not recorded");
    expect(page).toContain('alt="plant-a, edge, scene 1: predicted by FedHCA²"');
  });

  it("has a chart for every site and task, for metric and loss, each with a label", () => {
    const page = renderReport({ result: syntheticResult(), pictures: [] });
    expect(page.match(/aria-label="Training loss of /g)).toHaveLength(12);
    expect(page.match(/ over rounds\. Last values: /g)).toHaveLength(12 + 12 + 1);
    expect(page.match(/<svg(?![^>]*aria-)/g)).toBeNull();
  });

  it("says that a comparison is not finished", () => {
    const result = syntheticResult();
    expect(renderReport({ result, pictures: [] })).not.toContain("Not finished");
    expect(renderReport({ result: { ...result, complete: false }, pictures: [] })).toContain("Not finished");
  });

  it("stays below 3 MB for 6 clients, 12 tasks, 3 strategies, 3 noisy scenes of 64×64", () => {
    const gains = { local: 0, fedavg: -4, fedhca2: 1 };
    const page = renderReport({ result: syntheticResult({ gains }), pictures: syntheticPictures(Object.keys(gains)) });
    expect(page.length).toBeLessThan(3e6);
  });

  it("gives a summary in Japanese with the same gain as the English one", () => {
    const page = renderReport({ result: syntheticResult({ gains: DEFAULT_GAINS }), pictures: [] });
    const summary = /<section class="summary-ja" lang="ja".*?<\/section>/s.exec(page)?.[0] ?? "";
    const gain = /<dd>([+\u2212][\d.]+\u00a0%)<\/dd>/.exec(page)?.[1] ?? "none";
    expect(summary).toContain("日本語要約");
    expect(summary).toContain(gain);
  });
});

function withoutRuns(result: ComparisonResult): ComparisonResult {
  const empty = Object.entries(result.strategies).map(([name, strategy]) => [
    name,
    { ...strategy, relativeGainPercent: null, relativeGainStdPercent: null, relativeGainInterval95: null, perSeed: {} },
  ]);
  return { ...result, complete: false, strategies: Object.fromEntries(empty) };
}

function textOf(page: string): string {
  return page.replace(/<style>.*?<\/style>/s, "").replace(/ (src|d|points)="[^"]*"/g, "");
}

const VOID = new Set(["meta", "img", "br", "link", "input", "hr", "!doctype"]);

/** Tags left open or closed in the wrong order. */
function unclosedTags(page: string): readonly string[] {
  const open: string[] = [];
  const wrong: string[] = [];
  for (const [, slash, name = "", rest = ""] of page.matchAll(/<(\/?)([!a-z][a-z0-9]*)([^>]*)>/gi)) {
    if (VOID.has(name.toLowerCase()) || rest.endsWith("/")) continue;
    if (slash === "") open.push(name);
    else if (open.pop() !== name) wrong.push(name);
  }
  return [...wrong, ...open];
}
