/** `kumiai aggregate` as a real process, killed with SIGKILL at moments told by what it leaves on the disk. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createRng, writeParamsFile } from "@kumiai/params";
import { afterEach, beforeEach, expect, test } from "vitest";

const BIN = fileURLToPath(new URL("../../apps/cli/bin/kumiai.js", import.meta.url));
const CLIENTS = ["line-a", "line-b"];
const FEDERATION = `
strategy: { name: fedhca2 }
clients:
  - { id: line-a, dataset: garments, tasks: [edge] }
  - { id: line-b, dataset: digits, tasks: [edge] }
`;
/** Enough for writing to take a while. */
const ENCODER_SIZE = 1_000_000;

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "kumiai-killed-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

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

interface Ended {
  readonly exitCode: number | null;
  readonly out: string;
  readonly err: string;
}

/** `isTime`: looks at the disk, again and again; true kills the process. */
async function aggregate(folder: string, isTime = (): boolean => false): Promise<Ended> {
  const paths = ["--base", "model", "--local", "local", "--out", "model", "--state", "state.json"];
  const child = spawn(process.execPath, [BIN, "aggregate", "federation.yaml", ...paths, "--threads", "1", "--json"], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const texts = { out: "", err: "" };
  child.stdout.on("data", (chunk) => {
    texts.out += chunk;
  });
  child.stderr.on("data", (chunk) => {
    texts.err += chunk;
  });
  let isOver = false;
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve)).finally(() => {
    isOver = true;
  });
  while (!isOver) {
    if (isTime()) child.kill("SIGKILL");
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { exitCode: await ended, ...texts };
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
  const [fresh, reference, scratch] = [join(dir, "fresh"), join(dir, "reference"), join(dir, "scratch")];
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
