import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { mathBits, PROBED_FUNCTIONS, runtimeHash } from "./runtime-hash.js";

/** Exact by the language's definition: the same bits in every engine. */
const EXACT = new Set([
  "abs",
  "ceil",
  "clz32",
  "floor",
  "fround",
  "imul",
  "max",
  "min",
  "round",
  "sign",
  "sqrt",
  "trunc",
]);

test("the hash is the same twice, and the arguments are inside the domains of most functions", async () => {
  expect(await runtimeHash()).toBe(await runtimeHash());
  const values = new Float64Array(mathBits(Math).buffer);
  const count = values.length / PROBED_FUNCTIONS.length;
  PROBED_FUNCTIONS.forEach((_, f) => {
    const own = values.subarray(f * count, (f + 1) * count);
    expect(own.filter(Number.isFinite).length).toBeGreaterThan(count / 3);
    expect(new Set(own).size).toBeGreaterThan(count / 4);
  });
});

test.each(PROBED_FUNCTIONS)("a Math.%s that differs by one bit at one in 500 arguments is another runtime", (name) => {
  let calls = 0;
  const other = (x: number, y: number): number => {
    const value = (Math[name] as (x: number, y: number) => number)(x, y);
    return calls++ % 500 === 250 && Number.isFinite(value) ? nextUp(value) : value;
  };
  const functions = Object.fromEntries(PROBED_FUNCTIONS.map((each) => [each, each === name ? other : Math[each]]));
  expect(mathBits(functions as never)).not.toEqual(mathBits(Math));
});

test("every function of Math that our packages use is exact or probed", async () => {
  const packages = fileURLToPath(new URL("../../../", import.meta.url));
  const entries = await readdir(packages, { recursive: true, withFileTypes: true });
  const sources = entries.filter(
    ({ name, parentPath }) =>
      name.endsWith(".ts") && /[/\\]src(?:[/\\]|$)/.test(parentPath) && !/node_modules/.test(parentPath),
  );
  expect(sources.length).toBeGreaterThan(200);
  const known = new Set<string>([...EXACT, ...PROBED_FUNCTIONS]);
  const used = new Set<string>();
  for (const { name, parentPath } of sources.filter(({ name }) => !name.endsWith(".test.ts"))) {
    for (const [, found = ""] of (await readFile(join(parentPath, name), "utf8")).matchAll(/\bMath\.([a-z]\w*)\(/g))
      used.add(found);
  }
  expect([...used].filter((name) => !known.has(name))).toEqual([]);
});

function nextUp(value: number): number {
  const bits = new BigInt64Array(new Float64Array([value]).buffer);
  bits[0] = (bits[0] ?? 0n) + 1n;
  return new Float64Array(bits.buffer)[0] ?? Number.NaN;
}
