import { readFile, stat, writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { createTempFolder } from "../testing/temp-folder.js";
import { readParamsFile, writeParamsFile } from "./params-file.js";
import { openSafetensors, openSafetensorsBytes } from "./reader.js";
import { createSafetensorsWriter } from "./writer.js";

/** A file by hand: the header as given, then the data. */
function fileOf(header: unknown, data: Uint8Array = new Uint8Array()): Uint8Array {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(data, 8 + json.length);
  return bytes;
}

async function readOne(dtype: string, shape: readonly number[], data: Uint8Array): Promise<number[]> {
  const header = { t: { dtype, shape, data_offsets: [0, data.length] } };
  await using file = await openSafetensorsBytes(fileOf(header, data), "f");
  return [...(await file.read("t"))];
}

const bytesOf = (array: ArrayBufferView): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength).slice();

test("every dtype is read as f32: floats of all widths, integers, booleans", async () => {
  expect(await readOne("F64", [2], bytesOf(Float64Array.of(1.5, -1e-3)))).toEqual([1.5, Math.fround(-1e-3)]);
  expect(await readOne("F32", [2], bytesOf(Float32Array.of(0.1, Number.NaN)))).toEqual([Math.fround(0.1), Number.NaN]);
  // One, -2, the largest, the smallest, an infinity: bit patterns from the tables of IEEE 754 binary16.
  expect(await readOne("F16", [5], bytesOf(Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0001, 0x7c00)))).toEqual([
    1,
    -2,
    65504,
    2 ** -24,
    Number.POSITIVE_INFINITY,
  ]);
  expect(await readOne("BF16", [3], bytesOf(Uint16Array.of(0x3f80, 0xc040, 0x0000)))).toEqual([1, -3, 0]);
  expect(await readOne("I64", [2], bytesOf(BigInt64Array.of(-3n, 1n << 40n)))).toEqual([-3, 2 ** 40]);
  expect(await readOne("U64", [1], bytesOf(BigUint64Array.of(1n << 63n)))).toEqual([2 ** 63]);
  expect(await readOne("I32", [1], bytesOf(Int32Array.of(-7)))).toEqual([-7]);
  expect(await readOne("U32", [1], bytesOf(Uint32Array.of(2 ** 31)))).toEqual([2 ** 31]);
  expect(await readOne("I16", [1], bytesOf(Int16Array.of(-300)))).toEqual([-300]);
  expect(await readOne("U16", [1], bytesOf(Uint16Array.of(65535)))).toEqual([65535]);
  expect(await readOne("I8", [1], bytesOf(Int8Array.of(-128)))).toEqual([-128]);
  expect(await readOne("U8", [1], Uint8Array.of(200))).toEqual([200]);
  expect(await readOne("BOOL", [2], Uint8Array.of(0, 1))).toEqual([0, 1]);
  expect(await readOne("F32", [], bytesOf(Float32Array.of(4)))).toEqual([4]);
  expect(await readOne("F32", [0, 3], new Uint8Array())).toEqual([]);
});

test("numbers that no f32 stands for are refused, never changed in silence", async () => {
  const code = "SAFETENSORS_MALFORMED";
  await expect(readOne("I32", [1], bytesOf(Int32Array.of(2 ** 24 + 1)))).rejects.toMatchObject({ code });
  await expect(readOne("I64", [1], bytesOf(BigInt64Array.of((1n << 53n) + 1n)))).rejects.toMatchObject({ code });
  await expect(readOne("F64", [1], bytesOf(Float64Array.of(1e39)))).rejects.toMatchObject({
    code,
    message:
      'f: tensor "t": expected numbers that an f32 can stand for, found 1e+39; the file may be cut off or damaged, fetch or write it again',
  });
});

const F32_2 = { dtype: "F32", shape: [2], data_offsets: [0, 8] };

test.each([
  ["an empty file", new Uint8Array(), "expected at least 8 bytes, found 0 bytes"],
  ["a header cut off", fileOf({ t: F32_2 }).subarray(0, 20), "expected a header of at most 12 bytes"],
  ["an absurd header length", new Uint8Array(64).fill(255), "expected a header of at most 56 bytes"],
  ["no JSON", fileOf("{nope}"), "expected a header of UTF-8 JSON"],
  ["bytes that are not UTF-8", fileOf('{"é":1}').fill(0xff, 10, 11), "expected a header of UTF-8 JSON"],
  ["a list", fileOf([]), "expected a header that is a JSON object from its first byte on, found []"],
  ["null", fileOf("null"), "found null"],
  ["a space before the object", fileOf(" {}"), "from its first byte on"],
  ["a repeated name", fileOf('{"t":1,"t":2}'), 'tensor "t": expected every name once'],
  ["a repeated name in other letters", fileOf('{"t":1,"\\u0074":2}'), 'tensor "t": expected every name once'],
  ["a repeated field", fileOf('{"t":{"dtype":"F32","dtype":"F32"}}'), 'tensor "dtype": expected every name once'],
  ["metadata that is no text", fileOf({ __metadata__: { a: 1 } }), 'to be an object of texts, found "a": 1'],
  ["metadata that is a list", fileOf({ __metadata__: [] }), "to be an object of texts, found []"],
  ["a tensor that is no object", fileOf({ t: 3 }), 'tensor "t": expected an object with dtype, shape and data_offsets'],
  ["a field too many", fileOf({ t: { ...F32_2, x: 1 } }), 'found a field "x"'],
  ["an unknown dtype", fileOf({ t: { ...F32_2, dtype: "F8_E4M3" } }), 'found "F8_E4M3"'],
  ["no dtype", fileOf({ t: { shape: [2], data_offsets: [0, 8] } }), "expected dtype to be one of"],
  ["a dtype named like a method", fileOf({ t: { ...F32_2, dtype: "toString" } }), 'found "toString"'],
  ["a negative extent", fileOf({ t: { ...F32_2, shape: [-2] } }), "expected shape to be a list of whole numbers"],
  ["a fraction of an extent", fileOf({ t: { ...F32_2, shape: [0.5] } }), "expected shape to be a list"],
  ["offsets that are three", fileOf({ t: { ...F32_2, data_offsets: [0, 4, 8] } }), "to be two whole numbers"],
  ["offsets that go backwards", fileOf({ t: { ...F32_2, data_offsets: [8, 0] } }), "found -8 bytes"],
  [
    "a size that does not fit",
    fileOf({ t: { ...F32_2, shape: [3] } }, new Uint8Array(8)),
    "expected 12 bytes for F32 [3], found 8",
  ],
  ["data cut off", fileOf({ t: F32_2 }, new Uint8Array(7)), 'tensor "t": expected 8 bytes of tensors, found 7 bytes'],
  ["data left over", fileOf({ t: F32_2 }, new Uint8Array(9)), "expected 8 bytes of tensors, found 9 bytes"],
  [
    "a gap",
    fileOf({ t: F32_2, u: { ...F32_2, data_offsets: [9, 17] } }, new Uint8Array(17)),
    'tensor "u": expected offset 8, where the tensor before ends, found offset 9, a gap of 1 bytes',
  ],
  [
    "an overlap",
    fileOf({ t: F32_2, u: { ...F32_2, data_offsets: [4, 12] } }, new Uint8Array(12)),
    "an overlap of 4 bytes",
  ],
  ["a gap at the start", fileOf({ t: { ...F32_2, data_offsets: [8, 16] } }, new Uint8Array(16)), "a gap of 8 bytes"],
] as const)("%s is SAFETENSORS_MALFORMED and says what was expected", async (_, bytes, message) => {
  await expect(openSafetensorsBytes(bytes, "f")).rejects.toMatchObject({
    code: "SAFETENSORS_MALFORMED",
    message: expect.stringContaining(message),
  });
});

test("a missing file is FILE_NOT_FOUND and a folder FILE_UNREADABLE, both with the absolute path", async () => {
  await using folder = await createTempFolder();
  await expect(openSafetensors(folder.path("none"))).rejects.toMatchObject({
    code: "FILE_NOT_FOUND",
    message: expect.stringContaining(folder.path("none")),
  });
  await expect(readParamsFile(folder.path("none"))).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  await expect(openSafetensors(folder.path("."))).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
  await expect(readParamsFile(folder.path("."))).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
});

test("a file that shrinks after it was opened is SAFETENSORS_MALFORMED when the tensor is read", async () => {
  await using folder = await createTempFolder();
  const path = folder.path("a");
  await writeFile(path, fileOf({ t: F32_2 }, new Uint8Array(8)));
  await using file = await openSafetensors(path);
  await writeFile(path, fileOf({ t: F32_2 }));
  await expect(file.read("t")).rejects.toMatchObject({ code: "SAFETENSORS_MALFORMED" });
});

test("tensors written in pieces and out of order come back; f32 lie before f16, all at multiples of their size", async () => {
  await using folder = await createTempFolder();
  const path = folder.path("a.safetensors");
  await using writer = await createSafetensorsWriter(
    path,
    [
      { name: "half", shape: [3], dtype: "F16" },
      { name: "9", shape: [2, 2], dtype: "F32" },
      { name: "scalar", shape: [], dtype: "F32" },
      { name: "empty", shape: [0], dtype: "F32" },
    ],
    { made: "by hand" },
  );
  await writer.write("scalar", Float32Array.of(-0));
  await writer.write("9", Float32Array.of(1));
  await writer.write("half", Float32Array.of(0.5, 65504, 2 ** -24));
  await writer.write("9", Float32Array.of(2, 3, 4));
  expect(await stat(path).catch(() => null)).toBeNull();
  await writer.finish();

  await using file = await openSafetensors(path);
  expect(file.metadata).toEqual({ made: "by hand" });
  expect([...file.tensors.keys()].sort()).toEqual(["9", "empty", "half", "scalar"]);
  expect([...(await file.read("9"))]).toEqual([1, 2, 3, 4]);
  expect([...(await file.read("half"))]).toEqual([0.5, 65504, 2 ** -24]);
  expect(Object.is((await file.read("scalar"))[0], -0)).toBe(true);
  expect(file.tensors.get("9")?.position).toBeLessThan(file.tensors.get("half")?.position ?? 0);
  for (const { position, dtype } of file.tensors.values()) expect(position % (dtype === "F32" ? 4 : 2)).toBe(0);
});

test("a writer refuses what is not planned, too much, too little, and f16 beyond its range; nothing is left behind", async () => {
  await using folder = await createTempFolder();
  const open = () => createSafetensorsWriter(folder.path("a"), [{ name: "t", shape: [2], dtype: "F16" }]);
  {
    await using writer = await open();
    await expect(writer.write("u", Float32Array.of(1))).rejects.toMatchObject({ code: "LAYOUT_MISMATCH" });
    await expect(writer.write("t", new Float32Array(3))).rejects.toMatchObject({
      message: expect.stringContaining("expected 2 elements, received 3 elements"),
    });
    await expect(writer.write("t", Float32Array.of(1, 65520))).rejects.toMatchObject({ code: "NON_FINITE" });
    await writer.write("t", Float32Array.of(1));
    await expect(writer.finish()).rejects.toMatchObject({ code: "LAYOUT_MISMATCH" });
  }
  expect(await folder.list()).toEqual([]);
  const plan = { name: "t", shape: [1], dtype: "F32" } as const;
  await expect(createSafetensorsWriter(folder.path("a"), [plan, plan])).rejects.toMatchObject({
    code: "LAYOUT_MISMATCH",
  });
  await expect(createSafetensorsWriter(folder.path("no/a"), [plan])).rejects.toMatchObject({ code: "WRITE_FAILED" });
  expect(await folder.list()).toEqual([]);
});

test("metadata of 20 MB with escapes is read", async () => {
  const long = `${"x".repeat(20_000_000)}"\\"`;
  await using file = await openSafetensorsBytes(fileOf({ __metadata__: { long } }), "f");
  expect(file.metadata.long).toBe(long);
});

test("an unknown tensor and a vector of another size are LAYOUT_MISMATCH", async () => {
  await using file = await openSafetensorsBytes(fileOf({ t: F32_2 }, new Uint8Array(8)), "f");
  await expect(file.read("u")).rejects.toMatchObject({ code: "LAYOUT_MISMATCH" });
  await expect(file.readInto("t", new Float32Array(3))).rejects.toMatchObject({
    code: "LAYOUT_MISMATCH",
    message: 'f: tensor "t": expected 3 elements, found 2 ([2])',
  });
});

test("values that do not fit their shape leave no file", async () => {
  await using folder = await createTempFolder();
  const entry = { name: "t", shape: [3], values: Float32Array.of(1) };
  await expect(writeParamsFile(folder.path("a"), [entry])).rejects.toMatchObject({ code: "LAYOUT_MISMATCH" });
  expect(await folder.list()).toEqual([]);
});

test("equal params give equal bytes", async () => {
  await using folder = await createTempFolder();
  const entries = [{ name: "t", shape: [3], values: Float32Array.of(1, 2, 3) }];
  await writeParamsFile(folder.path("a"), entries, { metadata: { x: "y" } });
  await writeParamsFile(folder.path("b"), entries, { metadata: { x: "y" } });
  expect(await readFile(folder.path("a"))).toEqual(await readFile(folder.path("b")));
  expect((await readParamsFile(folder.path("a"))).sha256).toMatch(/^[0-9a-f]{64}$/);
});
