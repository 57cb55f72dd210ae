import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { importsOf, layerViolations, packageOf } from "../../scripts/lib/layers.mjs";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "kumiai-layers-"));
  write("package.json", { workspaces: ["packages/*"], devDependencies: { vitest: "4" } });
  write("layers.json", {
    low: { layer: 0, dir: "packages/low" },
    left: { layer: 1, dir: "packages/left" },
    right: { layer: 1, dir: "packages/right" },
  });
  write("packages/low/package.json", { name: "@kumiai/low" });
  write("packages/low/src/index.ts", "export const one = 1;\n");
  write("packages/left/package.json", { name: "@kumiai/left", dependencies: { "@kumiai/low": "1" } });
  write("packages/left/src/index.ts", 'import { one } from "@kumiai/low";\nexport const two = one + 1;\n');
  write("packages/left/src/index.test.ts", 'import { test } from "vitest";\n');
  write("packages/right/package.json", { name: "@kumiai/right", dependencies: { "@kumiai/low": "1" } });
  write("packages/right/src/index.ts", 'export * from "@kumiai/low";\n');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, content: string | object): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), typeof content === "string" ? content : JSON.stringify(content));
}

test("the layer table of this repository holds", () => {
  expect(layerViolations(fileURLToPath(new URL("../..", import.meta.url)))).toEqual([]);
});

test("a tree that keeps to its table has no violation", () => {
  expect(layerViolations(root)).toEqual([]);
});

describe("a planted violation is named with its place", () => {
  test("an import from a higher layer", () => {
    write("packages/low/src/index.ts", '\nimport { two } from "@kumiai/left";\n');
    expect(layerViolations(root)).toEqual([
      "packages/low/src/index.ts:2: low (layer 0) may not use left (layer 1): a higher layer",
    ]);
  });

  test("an import from the same layer, also as a dynamic import in a test", () => {
    write("packages/left/src/index.test.ts", 'const right = await import("@kumiai/right");\n');
    expect(layerViolations(root)).toEqual([
      "packages/left/src/index.test.ts:1: left (layer 1) may not use right (layer 1): the same layer",
    ]);
  });

  test("a dependency on a higher layer, even if unused", () => {
    write("packages/low/package.json", { name: "@kumiai/low", dependencies: { "@kumiai/right": "1" } });
    expect(layerViolations(root)).toEqual([
      "packages/low/package.json: low (layer 0) may not use right (layer 1): a higher layer",
      "packages/low/package.json: depends on @kumiai/right, which no file imports",
    ]);
  });

  test("an import of what package.json does not list", () => {
    write("packages/low/src/extra.ts", 'import { z } from "zod/v4";\n');
    expect(layerViolations(root)).toEqual(["packages/low/src/extra.ts:1: zod is not a dependency in package.json"]);
  });

  test("a test tool in code that is not a test", () => {
    write("packages/low/src/extra.ts", 'import { expect } from "vitest";\n');
    expect(layerViolations(root)).toEqual(["packages/low/src/extra.ts:1: vitest is not a dependency in package.json"]);
  });

  test("a relative import out of the package", () => {
    write("packages/right/src/extra.ts", 'export * from "../../left/src/index.js";\n');
    expect(layerViolations(root)).toEqual([
      "packages/right/src/extra.ts:1: ../../left/src/index.js leaves the package",
    ]);
  });

  test("an import behind the public entry", () => {
    write("packages/right/src/extra.ts", 'import "@kumiai/low/dist/secret.js";\n');
    expect(layerViolations(root)).toEqual([
      "packages/right/src/extra.ts:1: @kumiai/low/dist/secret.js reaches behind the public entry",
    ]);
  });

  test("randomness, time and environment in a library, but not in its tests or comments", () => {
    write("packages/low/src/extra.ts", "// Math.random() is not used here\nexport const now = () => Date.now();\n");
    write("packages/low/src/extra.test.ts", "export const home = process.env.HOME;\n");
    expect(layerViolations(root)).toEqual([
      "packages/low/src/extra.ts:2: Date.now in a library; take it as an argument",
    ]);
  });

  test("a package without a layer, and a layer without a package", () => {
    write("packages/new/package.json", { name: "@kumiai/new" });
    write("layers.json", {
      low: { layer: 0, dir: "packages/low" },
      left: { layer: 1, dir: "packages/left" },
      right: { layer: 1, dir: "packages/right" },
      gone: { layer: 2, dir: "packages/gone" },
    });
    expect(layerViolations(root)).toEqual([
      "layers.json: packages/new has no layer",
      "layers.json: packages/gone is listed but has no package.json",
    ]);
  });

  test("TypeScript references that do not follow the dependencies", () => {
    write("packages/left/tsconfig.json", { references: [{ path: "../right" }] });
    expect(layerViolations(root)).toEqual([
      "packages/left/tsconfig.json: no reference to @kumiai/low, on which package.json depends",
      "packages/left/tsconfig.json: references @kumiai/right, on which package.json does not depend",
    ]);
  });
});

test("imports are found in every form, and not in comments", () => {
  const text = [
    'import a from "a";',
    'import type { B } from "@scope/b/deep";',
    "import {",
    "  c,",
    "} from './c.js';",
    'import "side-effect";',
    '// import x from "x";',
    ' * import y from "y";',
    'const d = await import("d");',
    'const e = require.resolve("e/package.json");',
    'export * from "f";',
    // Not imports that can be known: something filled in later, and words in a text.
    'import x from "%COMPUTED%";',
    'fail("received nothing from", number(node, "axis"));',
  ].join("\n");
  expect(importsOf(text)).toEqual([
    { specifier: "a", line: 1 },
    { specifier: "@scope/b/deep", line: 2 },
    { specifier: "./c.js", line: 5 },
    { specifier: "side-effect", line: 6 },
    { specifier: "d", line: 9 },
    { specifier: "e/package.json", line: 10 },
    { specifier: "f", line: 11 },
  ]);
  expect(packageOf("@scope/b/deep")).toBe("@scope/b");
  expect(packageOf("e/package.json")).toBe("e");
});
