/** `kumiai aggregate` as a real process, killed with SIGKILL at moments told by what it leaves on the disk. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createRng, writeParamsFile } from "@kumiai/params";
import { expect, test } from "vitest";
import { type Ended, ended, folderPerTest, kumiai } from "./program.js";

const CLIENTS = ["line-a", "line-b"];
const FEDERATION = `
strategy: { name: fedhca2 }
clients:
  - { id: line-a, dataset: garments, tasks: [edge] }
  - { id: line-b, dataset: digits, tasks: [edge] }
`;
/** Enough for writing to take a while. */
const ENCODER_SIZE = 1_000_000;

const dir = folderPerTest();

/** Base and local files of a round in `folder`. */
async function prepare(folder: string): Promise<void> {
  await writeFile(join(folder, "federation.yaml"), FEDERATION);
  for (const stage of ["model", "local"]) {
    await mkdir(join(folder, stage));
    for (const client of CLIENTS) {
      const rng = createRng(stage).split(client);
      const vector = (size: number) => Float32Array.from({ length: size }, () => rng.uniform() - 0.5);
      await writeParamsFile(join(folder, stage, `${client}.safetensors`), [
        { name: "encoder.weight", shape: [ENCODER_SIZE], values: vector(ENCODER_SIZE) },
        { name: "decoders.edge.weight", shape: [100], values: vector(100) },
      ]);
    }
  }
}

/** `isTime`: looks at the disk, again and again; true kills the process. */
async function aggregate(folder: string, isTime = (): boolean => false): Promise<Ended> {
  const paths = ["--base", "model", "--local", "local", "--out", "model", "--state", "state.json"];
  const child = kumiai(folder, "aggregate", "federation.yaml", ...paths, "--threads", "1", "--json");
  let isOver = false;
  const result = ended(child).finally(() => {
    isOver = true;
  });
  while (!isOver) {
    if (isTime()) child.kill("SIGKILL");
    await new Promise((resolve) => setImmediate(resolve));
  }
  return result;
}

async function hashesOf(folder: string): Promise<Readonly<Record<string, string>>> {
  const names = (await readdir(folder)).sort();
  const hash = async (name: string) =>
    createHash("sha256")
      .update(await readFile(join(folder, name)))
      .digest("hex");
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await hash(name)] as const)));
}

test("killed at any moment: the same call again ends with the params of a round that was not killed, in round 1", async () => {
  const [fresh, reference, scratch] = [join(dir.path, "fresh"), join(dir.path, "reference"), join(dir.path, "scratch")];
  await mkdir(fresh);
  await prepare(fresh);
  await cp(fresh, reference, { recursive: true });
  const old = await hashesOf(join(reference, "model"));
  const { exitCode, out } = await aggregate(reference);
  expect([exitCode, JSON.parse(out).round]).toEqual([0, 1]);
  const expected = await hashesOf(join(reference, "model"));

  const is = (name: string) => (): boolean => existsSync(join(scratch, name));
  const hasLarge = (): boolean => readdirSync(scratch).some((name) => name.startsWith(".model.partial-"));
  const moments: Readonly<Record<string, () => boolean>> = {
    "with its lock": is(".state.json.lock"),
    "with its hidden folder": hasLarge,
    "with the next vectors": is(".state.json.next.safetensors"),
    "with the next state": is(".state.json.next.json"),
    "with its journal": is(".state.json.commit"),
    "between the renames": () => !existsSync(join(scratch, "model")),
    "with its state": is("state.json"),
  };
  const outcomes = new Set<string>();
  for (const [moment, isTime] of Object.entries(moments)) {
    await rm(scratch, { recursive: true, force: true });
    await cp(fresh, scratch, { recursive: true });
    await aggregate(scratch, isTime);
    const left = existsSync(join(scratch, "model")) ? await hashesOf(join(scratch, "model")) : undefined;
    expect([old, expected, undefined], moment).toContainEqual(left);
    if (existsSync(join(scratch, "state.json"))) expect(left, moment).toEqual(expected);
    outcomes.add(left === undefined ? "none" : JSON.stringify(left) === JSON.stringify(old) ? "old" : "new");

    const again = await aggregate(scratch);
    expect([again.exitCode, JSON.parse(again.out).round], moment).toEqual([0, 1]);
    expect(await hashesOf(join(scratch, "model")), moment).toEqual(expected);
    expect((await readdir(scratch)).sort(), moment).toEqual(
      ["federation.yaml", "local", "model", "state.json", "state.round-1.safetensors"].sort(),
    );
  }
  expect(outcomes).toContain("old");
  expect(outcomes).toContain("new");
});
