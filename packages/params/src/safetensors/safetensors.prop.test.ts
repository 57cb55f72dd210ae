import fc from "fast-check";
import { expect, test } from "vitest";
import { KumiaiError } from "../errors.js";
import { createTempFolder } from "../testing/temp-folder.js";
import { decodeInto, encode, fromHalfBits, toHalfBits } from "./dtypes.js";
import { findRepeatedKey } from "./json-keys.js";
import { readParamsFile, writeParamsFile } from "./params-file.js";
import { openSafetensorsBytes } from "./reader.js";

const float32 = fc.float({ noNaN: false });
const tensor = fc
  .tuple(
    fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }),
    fc.array(float32, { minLength: 64, maxLength: 64 }),
  )
  .map(([shape, pool]) => ({
    shape,
    values: Float32Array.from(
      pool.slice(
        0,
        shape.reduce((product, extent) => product * extent, 1),
      ),
    ),
  }));
const tensorName = fc.string({ minLength: 1, maxLength: 12, unit: "binary" }).filter((name) => name !== "__metadata__");
const tensors = fc.uniqueArray(fc.tuple(tensorName, tensor), { selector: ([name]) => name, maxLength: 5 });

test("reading after writing is the identity, bit for bit, for any names, shapes and values", async () => {
  await using folder = await createTempFolder();
  const path = folder.path("a");
  await fc.assert(
    fc.asyncProperty(tensors, fc.dictionary(fc.string(), fc.string()), async (entries, metadata) => {
      await writeParamsFile(
        path,
        entries.map(([name, { shape, values }]) => ({ name, shape, values })),
        { metadata },
      );
      const file = await readParamsFile(path);
      expect([...file.tensors.keys()].sort()).toEqual(entries.map(([name]) => name).sort());
      for (const [name, { shape, values }] of entries) {
        expect(file.tensors.get(name)?.shape).toEqual(shape);
        expect(new Uint8Array(file.tensors.get(name)?.values.buffer ?? new ArrayBuffer(1))).toEqual(
          new Uint8Array(values.buffer),
        );
      }
      expect(new Map(Object.entries(file.metadata))).toEqual(new Map(Object.entries(metadata)));
    }),
    { numRuns: 60 },
  );
});

const MANY_TENSORS = {
  "encoder.a.weight": { dtype: "F32", shape: [2, 2], data_offsets: [0, 16] },
  "encoder.a.bias": { dtype: "F16", shape: [2], data_offsets: [16, 20] },
  "heads.t.weight": { dtype: "I8", shape: [4], data_offsets: [20, 24] },
  __metadata__: { note: "x" },
};

function sample(): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(MANY_TENSORS));
  const bytes = new Uint8Array(8 + json.length + 24);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

async function readAll(bytes: Uint8Array): Promise<number> {
  await using file = await openSafetensorsBytes(bytes, "f");
  for (const name of file.tensors.keys()) await file.read(name);
  return file.tensors.size;
}

test("a damaged file is read or refused with SAFETENSORS_MALFORMED, never anything else", async () => {
  const damage = fc.array(fc.tuple(fc.nat({ max: sample().length - 1 }), fc.integer({ min: 0, max: 255 })), {
    minLength: 1,
    maxLength: 4,
  });
  await fc.assert(
    fc.asyncProperty(damage, async (places) => {
      const bytes = sample();
      for (const [at, value] of places) bytes[at] = value;
      await readAll(bytes).catch((error: unknown) => {
        expect(error).toBeInstanceOf(KumiaiError);
        expect(error).toMatchObject({ code: "SAFETENSORS_MALFORMED" });
      });
    }),
    { numRuns: 1000 },
  );
});

test("a file cut off anywhere, or with anything behind it, is refused", async () => {
  const whole = sample();
  expect(await readAll(whole)).toBe(3);
  for (let length = 0; length < whole.length; length++) {
    await expect(readAll(whole.subarray(0, length))).rejects.toMatchObject({ code: "SAFETENSORS_MALFORMED" });
  }
  await expect(readAll(Uint8Array.from([...whole, 0]))).rejects.toMatchObject({ code: "SAFETENSORS_MALFORMED" });
});

function isShapeOfTwo(value: unknown): boolean {
  const isNumbers = Array.isArray(value) && value.every((extent) => typeof extent === "number");
  return isNumbers && value.reduce((product: number, extent: number) => product * extent, 1) === 2;
}

test("any other type, shape or offsets of a tensor are refused", async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom("dtype", "shape", "data_offsets"), fc.jsonValue(), async (field, value) => {
      const whole = MANY_TENSORS["encoder.a.bias"];
      fc.pre(JSON.stringify(value) !== JSON.stringify(whole[field]));
      // Two bytes a number and two numbers: other types of two bytes and shapes of two numbers are as good.
      fc.pre(!(field === "dtype" && typeof value === "string" && ["BF16", "I16", "U16"].includes(value)));
      fc.pre(!(field === "shape" && isShapeOfTwo(value)));
      const json = JSON.stringify({ ...MANY_TENSORS, "encoder.a.bias": { ...whole, [field]: value } });
      const header = new TextEncoder().encode(json);
      const bytes = new Uint8Array(8 + header.length + 24);
      new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
      bytes.set(header, 8);
      await expect(readAll(bytes)).rejects.toMatchObject({ code: "SAFETENSORS_MALFORMED" });
    }),
    { numRuns: 300 },
  );
});

test("all 65,536 halves come back from f32 as they were; NaN stays NaN", () => {
  for (let bits = 0; bits < 65_536; bits++) {
    const value = fromHalfBits(bits);
    const back = toHalfBits(value);
    if (Number.isNaN(value)) expect(Number.isNaN(fromHalfBits(back))).toBe(true);
    else if (back !== bits) expect(back).toBe(bits);
  }
});

test("f16 rounding goes to the nearest half, ties to the even one", () => {
  fc.assert(
    fc.property(fc.float({ min: -65504, max: 65504, noNaN: true }), (value) => {
      const rounded = fromHalfBits(toHalfBits(value));
      const bits = toHalfBits(Math.abs(value));
      for (const other of [bits - 1, bits + 1].filter((b) => b >= 0 && b < 0x7c00).map(fromHalfBits)) {
        const mine = Math.abs(Math.abs(rounded) - Math.abs(value));
        const theirs = Math.abs(other - Math.abs(value));
        expect(mine <= theirs).toBe(true);
        if (mine === theirs) expect(bits % 2).toBe(0);
      }
    }),
    { numRuns: 2000 },
  );
});

test("f32 bytes decode to what was encoded, whatever the platform", () => {
  fc.assert(
    fc.property(fc.array(float32, { maxLength: 67 }), (numbers) => {
      const values = Float32Array.from(numbers);
      const out = new Float32Array(values.length);
      expect(decodeInto(out, encode(values, "F32"), "F32")).toBeUndefined();
      expect(out).toEqual(values);
    }),
  );
});

test("no key repeats in JSON that was made from an object; written twice, it is found", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string(), (value, key) => {
      expect(findRepeatedKey(JSON.stringify(value))).toBeUndefined();
      const name = JSON.stringify(key);
      expect(findRepeatedKey(`[{ ${name} :${JSON.stringify(value)}, ${name}: 1 }]`)).toBe(key);
    }),
  );
});
