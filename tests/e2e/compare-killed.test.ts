/** `kumiai compare` as a real process, killed with SIGKILL again and again until it has got through. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { withoutTimes } from "@kumiai/simulator";
import { expect, test } from "vitest";
import { COMPARISON_FILES, ended, folderPerTest, kumiai, tinyScenario } from "./program.js";

const dir = folderPerTest((path) => writeFile(join(path, "tiny.yaml"), tinyScenario(4)));

/** Killed as soon as `isTime` says so of what stderr has told. */
async function compare(out: string, more: readonly string[], isTime = (_err: string): boolean => false) {
  const child = kumiai(dir.path, "compare", "tiny.yaml", "--out", out, "--threads", "1", ...more);
  const { exitCode, err } = await ended(child, (text) => {
    if (isTime(text)) child.kill("SIGKILL");
  });
  return { exitCode, kept: count(err, "kept from before"), done: count(err, ": done in"), err };
}

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}

async function resultOf(out: string): Promise<string> {
  return withoutTimes(await readFile(join(dir.path, out, "result.json"), "utf8"));
}

test("killed with SIGKILL and called again it trains only what is missing and ends as if nothing had happened", async () => {
  const pair = ["--strategies", "local,fedavg", "--seeds", "1,2"];
  const calm = await compare("calm", pair);
  expect(calm).toMatchObject({ exitCode: 0, kept: 0, done: 4 });

  const first = await compare("out", pair, (err) => err.includes("[2/4]") && err.includes("round 2 of 4"));
  expect(first.exitCode).toBeNull();
  expect(await readdir(join(dir.path, "out", "runs"))).toHaveLength(1);
  // Killed while it writes a run or right after.
  const second = await compare("out", pair, (err) => count(err, ": done in") === 2);
  expect(second).toMatchObject({ exitCode: null, kept: 1 });
  const third = await compare("out", pair);
  expect(third.exitCode).toBe(0);
  expect(third.kept + third.done).toBe(4);
  expect(third.kept).toBeGreaterThanOrEqual(2);
  expect(await resultOf("out")).toBe(await resultOf("calm"));
  expect((await readdir(join(dir.path, "out"))).sort()).toEqual(COMPARISON_FILES);
  expect(
    (await readdir(join(dir.path, "out", "runs"))).filter((name) => !/^\w+\.\d\.[0-9a-f]{12}\.json$/.test(name)),
  ).toEqual([]);

  const shorter = await compare("out", [...pair, "--rounds", "3"]);
  expect(shorter).toMatchObject({ exitCode: 0, kept: 0, done: 4 });
  expect(count(shorter.err, "is not used: it was made with other scenario settings")).toBe(4);
  expect(await compare("out", pair)).toMatchObject({ exitCode: 0, kept: 4, done: 0 });
  expect(await compare("out", [...pair, "--force"])).toMatchObject({ exitCode: 0, kept: 0, done: 4 });
  expect(await resultOf("out")).toBe(await resultOf("calm"));
});
