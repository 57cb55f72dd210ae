/** Models as they come out of other programs: several types in one file, other names, parts that are missing. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSafetensors, readParamsFile } from "@kumiai/params";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runCli } from "../program.js";
import { memoryIo } from "../testing/memory-io.js";

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "kumiai-models-"));
  for (const folder of ["base", "local"]) await mkdir(join(dir, folder));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

interface RawTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}
type Model = Readonly<Record<string, RawTensor>>;

const f32 = (...values: readonly number[]): RawTensor => ({
  dtype: "F32",
  shape: [values.length],
  bytes: new Uint8Array(Float32Array.from(values).buffer),
});
/** Upper halves of f32: exact for values of few digits. */
const bf16 = (...values: readonly number[]): RawTensor => ({
  dtype: "BF16",
  shape: [values.length],
  bytes: new Uint8Array(
    Uint16Array.from(values, (value) => (new Uint32Array(Float32Array.of(value).buffer)[0] ?? 0) >>> 16).buffer,
  ),
});
const i64 = (value: bigint): RawTensor => ({
  dtype: "I64",
  shape: [],
  bytes: new Uint8Array(BigInt64Array.of(value).buffer),
});

/** As other writers make them: in the order given, no padding. */
async function write(path: string, model: Model): Promise<void> {
  let end = 0;
  const header = Object.entries(model).map(([name, { dtype, shape, bytes }]) => {
    const begin = end;
    end += bytes.length;
    return [name, { dtype, shape, data_offsets: [begin, end] }];
  });
  const json = new TextEncoder().encode(
    JSON.stringify(Object.fromEntries([...header, ["__metadata__", { format: "pt" }]])),
  );
  const length = new Uint8Array(new BigUint64Array([BigInt(json.length)]).buffer);
  await writeFile(path, Buffer.concat([length, json, ...Object.values(model).map(({ bytes }) => bytes)]));
}

async function call(yaml: string, models: Readonly<Record<string, readonly [base: Model, local: Model]>>) {
  await writeFile(join(dir, "f.yaml"), yaml);
  for (const [id, [base, local]] of Object.entries(models)) {
    await write(join(dir, "base", `${id}.safetensors`), base);
    await write(join(dir, "local", `${id}.safetensors`), local);
  }
  const io = memoryIo();
  const at = (name: string): string => join(dir, name);
  const paths = ["--base", at("base"), "--local", at("local"), "--out", at("out"), "--state", at("state.json")];
  const code = await runCli(["aggregate", at("f.yaml"), ...paths, "--threads", "1", "--json"], io);
  return { code, out: io.outText(), err: io.errText() };
}

const FEDAVG = `
strategy: { name: fedavg }
clients:
  - { id: a, dataset: x, tasks: [t] }
  - { id: b, dataset: x, tasks: [t], sampleCount: 3 }
`;

test("statistics of any type come back byte for byte, shared tensors in their own type, names and metadata as in the base", async () => {
  const model = (prefix: string, value: number, count: bigint): Model => ({
    [`${prefix}.bn.num_batches_tracked`]: i64(count),
    [`${prefix}.bn.running_mean`]: f32(value, value),
    [`${prefix}.bn.weight`]: f32(value, -value),
    [`${prefix}.half`]: bf16(value, 2 * value, 0),
    "heads.t.weight": f32(value),
    note: { dtype: "U8", shape: [3], bytes: Uint8Array.of(1, 2, Number(count)) },
    empty: { dtype: "F32", shape: [0, 4], bytes: new Uint8Array() },
  });
  const { code, err } = await call(FEDAVG, {
    a: [model("backbone", 1, 1n), model("backbone", 2, 2n ** 60n + 1n)],
    b: [model("encoder", 1, 1n), model("encoder", 6, 7n)],
  });
  expect([code, err]).toEqual([0, ""]);
  // fedavg: (1·2 + 3·6) / 4 = 5.
  const out = await readFile(join(dir, "out", "a.safetensors"));
  await using opened = await openSafetensors(join(dir, "out", "a.safetensors"));
  expect(opened.metadata).toEqual({ format: "pt" });
  const told = [...opened.tensors.values()].map(({ name, dtype }) => `${name} ${dtype}`);
  expect(told.sort()).toEqual(
    [
      "backbone.bn.num_batches_tracked I64",
      "backbone.bn.running_mean F32",
      "backbone.bn.weight F32",
      "backbone.half BF16",
      "empty F32",
      "heads.t.weight F32",
      "note U8",
    ].sort(),
  );
  const read = async (name: string) => [...(await opened.read(name))];
  expect(await read("backbone.bn.weight")).toEqual([5, -5]);
  expect(await read("backbone.half")).toEqual([5, 10, 0]);
  expect(await read("backbone.bn.running_mean")).toEqual([2, 2]);
  expect(await read("heads.t.weight")).toEqual([2]);
  const position = opened.tensors.get("backbone.bn.num_batches_tracked")?.position ?? 0;
  expect(out.readBigInt64LE(position)).toBe(2n ** 60n + 1n);
  const { tensors } = await readParamsFile(join(dir, "out", "b.safetensors"));
  expect([...(tensors.get("encoder.bn.weight")?.values ?? [])]).toEqual([5, -5]);
  expect([...(tensors.get("note")?.values ?? [])]).toEqual([1, 2, 7]);
});

test("fedprox says what it expects of local training; encoders alone do where nobody has decoders", async () => {
  const model = (value: number): Model => ({ "encoder.w": f32(value) });
  const yaml = FEDAVG.replace("name: fedavg", "name: fedprox");
  const { code, err } = await call(yaml, { a: [model(0), model(1)], b: [model(0), model(5)] });
  expect(code).toBe(0);
  expect(err).toMatch(/fedprox expects local training to add .*params − base/);
  const { tensors } = await readParamsFile(join(dir, "out", "a.safetensors"));
  expect([...(tensors.get("encoder.w")?.values ?? [])]).toEqual([4]);
});

test("fedrep says which part of the steps trains what", async () => {
  const model = (value: number): Model => ({ "encoder.w": f32(value) });
  const yaml = FEDAVG.replace("name: fedavg", "name: fedrep");
  const { code, err } = await call(yaml, { a: [model(0), model(1)], b: [model(0), model(5)] });
  expect(code).toBe(0);
  expect(err).toContain(
    "in turns: 50 % of the steps with encoder frozen, then 50 % of the steps with decoder and head and stem frozen",
  );
});

describe("models that do not fit are refused with file and tensor", () => {
  const good: Model = { "encoder.w": f32(1, 2), "decoders.t.w": f32(1, 2, 3) };
  const hca = FEDAVG.replace("name: fedavg", "name: fedhca2");

  test.each([
    [
      "nothing that anybody could share",
      FEDAVG,
      { "model.encoder.w": f32(1) },
      /base\/b\.safetensors: expected tensors of an encoder or a decoder \(backbone\.\*.*found none \("model\.encoder\.w", …\); say in the federation file under roles/,
    ],
    [
      "a task without a decoder",
      FEDAVG,
      { "encoder.w": f32(1, 2) },
      /client b: .*base\/b\.safetensors: expected tensors of a decoder for task t \(decoders\.t\.\*\), found none/,
    ],
    [
      "an encoder of another shape",
      FEDAVG,
      { ...good, "encoder.w": f32(1) },
      /base\/b\.safetensors: tensor "encoder\.w": expected \[2\], as in .*base\/a\.safetensors, found \[1\]; .*encoder of client b against that of client a/,
    ],
    [
      "a decoder with one tensor less",
      hca,
      { "encoder.w": f32(1, 2), "decoders.t.other": f32(1) },
      /base\/b\.safetensors: tensor "decoders\.t\.other": expected no such tensor, as in .*, found \[1\]/,
    ],
    [
      "a shared tensor of whole numbers",
      FEDAVG,
      { ...good, "encoder.w": { dtype: "I32", shape: [2], bytes: new Uint8Array(8) } },
      /base\/b\.safetensors: tensor "encoder\.w": expected F32, F16 or BF16, since sites share it, found I32/,
    ],
  ] as const)("%s", async (_, yaml, bad: Model, message) => {
    const { code, out, err } = await call(yaml, { a: [good, good], b: [bad, bad] });
    expect(err).toContain("error LAYOUT_MISMATCH");
    expect(err).toMatch(message);
    expect([code, out]).toEqual([4, ""]);
  });
});
