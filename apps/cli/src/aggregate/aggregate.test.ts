/** `kumiai aggregate` as its users call it, on the recorded runs of the authors and on files that are wrong. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readParamsFile, writeParamsFile } from "@kumiai/params";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runCli } from "../program.js";
import { type FixtureFolders, readFixtureFolders } from "../testing/fixture-folders.js";
import { memoryIo } from "../testing/memory-io.js";
import type { RoundReport } from "./report.js";

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "kumiai-aggregate-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const at = (...parts: readonly string[]): string => join(dir, ...parts);

interface Call {
  readonly base?: string;
  readonly local?: string;
  readonly out?: string;
  readonly more?: readonly string[];
}

async function call({ base = "base", local = "local", out = "out", more = [] }: Call = {}) {
  const io = memoryIo();
  const code = await runCli(
    [
      "aggregate",
      at("federation.yaml"),
      "--base",
      at(base),
      "--local",
      at(local),
      "--out",
      at(out),
      "--state",
      at("state.json"),
      ...more,
    ],
    io,
  );
  return { code, out: io.outText(), err: io.errText() };
}

async function report(options: Call = {}): Promise<RoundReport> {
  const { code, out, err } = await call({ ...options, more: ["--json", ...(options.more ?? [])] });
  expect(err + code).toBe("0");
  return JSON.parse(out) as RoundReport;
}

/** The fixture's first round, ready to be aggregated. */
async function prepare(name = "paper_5st_1mt"): Promise<FixtureFolders> {
  const fixture = await readFixtureFolders(name);
  await writeFile(at("federation.yaml"), fixture.yaml);
  await fixture.write(at("base"), 0, "base");
  await fixture.write(at("local"), 0, "local");
  return fixture;
}

/** All files of a folder with their bytes. */
async function contentOf(folder: string): Promise<Readonly<Record<string, string>>> {
  const names = await readdir(folder).catch(() => []);
  const entries = await Promise.all(
    names.map(async (name) => [name, (await readFile(join(folder, name))).toString("base64")] as const),
  );
  return Object.fromEntries(entries);
}

describe.each(["paper_5st_1mt", "conflicting_updates", "duplicate_sites"])("%s, round after round", (name) => {
  test("gives the authors' params: encoders within 1e-3 of the largest update, decoders 1e-6, heads exact; α and β within 1e-3", async () => {
    const fixture = await prepare(name);
    for (let round = 0; round < fixture.roundCount; round++) {
      // Bases are the authors', as in the parity test, so that errors do not add up.
      await fixture.write(at(`base-${round}`), round, "base");
      await fixture.write(at(`local-${round}`), round, "local");
      const { hyperWeights, round: number } = await report({
        base: `base-${round}`,
        local: `local-${round}`,
        out: `out-${round}`,
        more: ["--threads", "2"],
      });
      expect(number).toBe(round + 1);
      const updates = fixture.clientIds.map((client) => largestUpdate(fixture, round, client));
      for (const client of fixture.clientIds) {
        const ours = await readParamsFile(at(`out-${round}`, `${client}.safetensors`));
        const expected = fixture.expected(round, client);
        expect([...ours.tensors.keys()].sort()).toEqual([...expected.keys()].sort());
        for (const [tensor, values] of expected) {
          const found = ours.tensors.get(tensor)?.values ?? new Float32Array();
          const tolerance = tensor.startsWith("backbone.")
            ? 1e-3 * Math.max(...updates)
            : tensor.startsWith("decoders.")
              ? 1e-6
              : 0;
          expect(distance(found, values), `round ${round}, ${client}, ${tensor}`).toBeLessThanOrEqual(tolerance);
        }
        const alpha = fixture.alpha[round]?.[fixture.clientIds.indexOf(client)] ?? Number.NaN;
        const alphas = hyperWeights?.encoderAlpha as Readonly<Record<string, number>> | undefined;
        expect(Math.abs((alphas?.[client] ?? Number.NaN) - alpha)).toBeLessThanOrEqual(1e-3);
      }
      for (const [layer, betas] of Object.entries(fixture.beta[round] ?? {})) {
        betas.forEach((beta, k) => {
          const ours = hyperWeights?.decoderBeta[fixture.decoderKeys[k] ?? ""]?.[layer] ?? Number.NaN;
          expect(Math.abs(ours - beta)).toBeLessThanOrEqual(1e-3);
        });
      }
    }
  });
});

function distance(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - (b[i] ?? Number.NaN))), 0);
}

function largestUpdate(fixture: FixtureFolders, round: number, client: string): number {
  const base = fixture.values(round, "base", client);
  const updates = [...fixture.values(round, "local", client)].filter(([tensor]) => tensor.startsWith("backbone."));
  return Math.max(...updates.map(([tensor, values]) => distance(values, base.get(tensor) ?? new Float32Array())));
}

describe("a round", () => {
  test("gives the same bytes on 1 and 3 threads, in place of the base too, and says what it did", async () => {
    await prepare();
    const first = await report({ out: "one", more: ["--threads", "1"] });
    await rm(at("state.json"));
    await rm(at("state.round-1.safetensors"));
    await report({ out: "three", more: ["--threads", "3"] });
    await rm(at("state.json"));
    const { code, out } = await call({ out: "base" });
    expect(code).toBe(0);
    expect(await contentOf(at("three"))).toEqual(await contentOf(at("one")));
    expect(await contentOf(at("base"))).toEqual(await contentOf(at("one")));
    expect(out).toContain("client-5");
    expect(out).toContain("round   1 of fedhca2, 6 clients");
    expect(first.gram).toHaveLength(6);
    expect(first.cosines?.[0]?.[0]).toBe(1);
    expect(Object.values(first.weights ?? {}).reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12);
    expect(first.attention?.decoders).toHaveLength(9);
    for (const rows of Object.values(first.attention?.tensors ?? {})) {
      for (const row of rows) expect(row.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
    }
    expect(first.bytes.read).toBeGreaterThan(first.bytes.written);
  });

  test("a client without a file is absent: named, its output is its base, its hyper-weights wait", async () => {
    const fixture = await prepare();
    await rm(at("local", "client-2.safetensors"));
    await writeFile(at("local", "client-9.safetensors"), "");
    const { code, out, err } = await call();
    expect([code, err]).toEqual([
      0,
      expect.stringContaining("client-9.safetensors: no client of the federation has this name"),
    ]);
    expect(out).toContain("absent  client-2");
    expect(await readFile(at("out", "client-2.safetensors"))).toEqual(
      await readFile(at("base", "client-2.safetensors")),
    );
    await fixture.write(at("local-1"), 1, "local");
    const second = await report({ base: "out", local: "local-1", out: "out" });
    expect(second.hyperWeights?.encoderAlpha).toMatchObject({ "client-2": 0.1 });
    expect(second.hyperWeights?.encoderAlpha).not.toMatchObject({ "client-0": 0.1 });
  });

  test("leaves nothing but outputs and state, keeps other files of the folder, removes the vectors of the round before", async () => {
    const fixture = await prepare();
    await mkdir(at("out"));
    await writeFile(at("out", "notes.txt"), "mine");
    await call();
    await fixture.write(at("local-1"), 1, "local");
    await call({ base: "out", local: "local-1" });
    expect((await readdir(dir)).sort()).toEqual(
      ["base", "federation.yaml", "local", "local-1", "out", "state.json", "state.round-2.safetensors"].sort(),
    );
    expect((await readdir(at("out"))).sort()).toEqual(
      [...fixture.clientIds.map((id) => `${id}.safetensors`), "notes.txt"].sort(),
    );
    expect(await readFile(at("out", "notes.txt"), "utf8")).toBe("mine");
  });

  test.each([
    ["fedavg", "{ name: fedavg }"],
    ["local", "{ name: local }"],
    ["fedhca2 with sketches", "{ name: fedhca2, weights: sketch, sketchSize: 64 }"],
  ])("%s needs no vectors beside the state, or keeps them there", async (name, strategy) => {
    const { yaml } = await prepare();
    await writeFile(at("federation.yaml"), `strategy: ${strategy}\n${yaml.slice(yaml.indexOf("clients:"))}`);
    const { gramSource, weights } = await report();
    expect(gramSource).toBe(name.includes("sketch") ? "sketch" : "exact");
    expect(weights === null).toBe(!name.startsWith("fedhca2"));
    expect((await readdir(dir)).includes("state.round-1.safetensors")).toBe(name.startsWith("fedhca2"));
  });
});

describe("what is wrong is said before anything is written", () => {
  const change = async (
    folder: string,
    client: string,
    edit: (tensors: Map<string, { shape: readonly number[]; values: Float32Array }>) => void,
    dtype: "F32" | "F16" = "F32",
  ): Promise<void> => {
    const path = at(folder, `${client}.safetensors`);
    const { tensors } = await readParamsFile(path);
    const edited = new Map([...tensors].map(([name, { shape, values }]) => [name, { shape, values: values.slice() }]));
    edit(edited);
    await writeParamsFile(
      path,
      [...edited].map(([name, tensor]) => ({ name, ...tensor })),
      { dtype },
    );
  };
  const first = (tensors: ReadonlyMap<string, unknown>, prefix: string): string =>
    [...tensors.keys()].find((name) => name.startsWith(prefix)) ?? "";

  test.each([
    [
      "NaN in an encoder",
      "NON_FINITE",
      /client-1.*local params.*local\/client-1\.safetensors, tensor "backbone\..*expected finite numbers, received NaN/,
      () =>
        change("local", "client-1", (tensors) =>
          tensors.get(first(tensors, "backbone."))?.values.fill(Number.NaN, 3, 4),
        ),
    ],
    [
      "an infinity in a head",
      "NON_FINITE",
      /client-0.*tensor "heads\..*received Infinity/,
      () =>
        change("local", "client-0", (tensors) =>
          tensors.get(first(tensors, "heads."))?.values.fill(Number.POSITIVE_INFINITY),
        ),
    ],
    [
      "NaN in the base of a decoder",
      "NON_FINITE",
      /client-3.*base params.*base\/client-3\.safetensors, tensor "decoders\./,
      () => change("base", "client-3", (tensors) => tensors.get(first(tensors, "decoders."))?.values.fill(Number.NaN)),
    ],
    [
      "a missing tensor",
      "LAYOUT_MISMATCH",
      /local\/client-1\.safetensors: tensor "backbone\..*expected F32 \[.*\], found no such tensor/,
      () => change("local", "client-1", (tensors) => void tensors.delete(first(tensors, "backbone."))),
    ],
    [
      "a tensor too much",
      "LAYOUT_MISMATCH",
      /local\/client-1\.safetensors: tensor "more": expected no such tensor/,
      () =>
        change("local", "client-1", (tensors) => void tensors.set("more", { shape: [1], values: new Float32Array(1) })),
    ],
    [
      "another shape",
      "LAYOUT_MISMATCH",
      /tensor "backbone\..*expected F32 \[.*\], found F32 \[1,/,
      () =>
        change("local", "client-1", (tensors) => {
          const name = first(tensors, "backbone.");
          const { shape = [], values = new Float32Array() } = tensors.get(name) ?? {};
          tensors.set(name, { shape: [1, ...shape], values });
        }),
    ],
    [
      "another type",
      "LAYOUT_MISMATCH",
      /expected F32 \[.*\], found F16 \[/,
      () => change("local", "client-1", () => undefined, "F16"),
    ],
    [
      "an encoder of another shape than the others'",
      "LAYOUT_MISMATCH",
      /encoder of client client-1 against that of client client-0/,
      async () => {
        for (const folder of ["base", "local"])
          await change(folder, "client-1", (tensors) => void tensors.delete(first(tensors, "backbone.")));
      },
    ],
    [
      "a task that is not listed",
      "LAYOUT_MISMATCH",
      /base\/client-0\.safetensors: tensor "decoders\..*expected a task of the client/,
      async () => {
        const text = await readFile(at("federation.yaml"), "utf8");
        await writeFile(at("federation.yaml"), text.replace(/(client-0.*tasks: )\[\w+\]/, "$1[other]"));
      },
    ],
    ["no base", "FILE_NOT_FOUND", /base\/client-4\.safetensors/, () => rm(at("base", "client-4.safetensors"))],
    [
      "a file cut short",
      "SAFETENSORS_MALFORMED",
      /local\/client-4\.safetensors/,
      () => writeFile(at("local", "client-4.safetensors"), "short"),
    ],
    [
      "no local files at all",
      "FILE_NOT_FOUND",
      /--local .*expected files named after clients/,
      async () => {
        await rm(at("local"), { recursive: true });
        await mkdir(at("local"));
      },
    ],
    [
      "a typo in the federation file",
      "INVALID_CONFIG",
      /federation\.yaml:\d+:\d+: .*conflictradius.*/,
      async () => {
        const text = await readFile(at("federation.yaml"), "utf8");
        await writeFile(at("federation.yaml"), text.replace("conflictRadius", "conflictradius"));
      },
    ],
    [
      "an unknown strategy",
      "UNKNOWN_STRATEGY",
      /federation\.yaml:\d+:\d+: .*did you mean "fedhca2"/,
      async () => {
        const text = await readFile(at("federation.yaml"), "utf8");
        await writeFile(at("federation.yaml"), text.replace("fedhca2", "fedhca"));
      },
    ],
    ["a state that is none", "STATE_MALFORMED", /state\.json: expected JSON/, () => writeFile(at("state.json"), "{")],
    [
      "a folder in the folder for outputs",
      "WRITE_FAILED",
      /out.*inner/,
      () => mkdir(at("out", "inner"), { recursive: true }),
    ],
  ] as const)("%s: %s", async (_, expectedCode, message, spoil) => {
    await prepare();
    await mkdir(at("out"), { recursive: true });
    await writeFile(at("out", "client-0.safetensors"), "old");
    await spoil();
    const before = { out: (await readdir(at("out"))).sort(), all: (await readdir(dir)).sort() };
    const { code, out, err } = await call();
    expect(code).toBeGreaterThan(0);
    expect(err).toContain(`error ${expectedCode}`);
    expect(err.replaceAll("\n", " ")).toMatch(message);
    expect(err).not.toContain("    at ");
    expect(out).toBe("");
    expect(await readFile(at("out", "client-0.safetensors"), "utf8")).toBe("old");
    expect({ out: (await readdir(at("out"))).sort(), all: (await readdir(dir)).sort() }).toEqual(before);
  });

  test("the state of another strategy, and folders that would be mixed up", async () => {
    const { yaml } = await prepare();
    await call();
    await writeFile(at("federation.yaml"), `strategy: { name: fedavg }\n${yaml.slice(yaml.indexOf("clients:"))}`);
    expect((await call()).err).toMatch(/expected the state of strategy fedavg.*found that of fedhca2/);
    expect((await call({ out: "local" })).err).toMatch(/INVALID_CONFIG: --out .*apart from --local/);
    expect((await call({ out: join("base", "inner") })).err).toMatch(/--base itself or a folder apart from it/);
    expect((await call({ base: "nowhere" })).err).toMatch(/FILE_NOT_FOUND: --base .*expected a folder, found nothing/);
  });
});
