/** The example of howto-add-a-strategy.md, compiled and run as the page gives it: its tests are tests of this file. */
import { execFile } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
/** Inside node_modules, where vitest is found; the package's own modules are its built ones. */
const scratch = join(root, "node_modules", ".cache", "docs-howto");
const built = join(root, "packages", "algorithms", "dist");

const page = await readFile(join(root, "docs", "howto-add-a-strategy.md"), "utf8");
const [strategy = "", itsTest = ""] = [...page.matchAll(/^```typescript\n([\s\S]*?)^```$/gm)].map(
  ([, code]) => code ?? "",
);
const output = await compile({ "balanced.ts": strategy, "balanced.example.ts": itsTest });
/** Its tests register themselves as they are loaded. */
const loaded = await Promise.allSettled(
  ["balanced.js", "balanced.example.js"].map((file) => import(pathToFileURL(join(scratch, "out", file)).href)),
);

/** What the compiler says; nothing if all is well. */
async function compile(files: Readonly<Record<string, string>>): Promise<string> {
  await rm(scratch, { recursive: true, force: true });
  await mkdir(scratch, { recursive: true });
  for (const [name, code] of Object.entries(files)) {
    const placed = code
      .replaceAll(/from "\.\.\//g, `from "${built}/`)
      .replaceAll('from "./definition.js"', `from "${built}/strategies/definition.js"`);
    await writeFile(join(scratch, name), placed);
  }
  await writeFile(join(scratch, "package.json"), '{ "type": "module" }');
  const config = {
    extends: join(root, "tsconfig.base.json"),
    compilerOptions: { composite: false, declaration: false, declarationMap: false, outDir: "out", rootDir: "." },
    include: ["*.ts"],
  };
  await writeFile(join(scratch, "tsconfig.json"), JSON.stringify(config));
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const { stdout } = await promisify(execFile)(process.execPath, [tsc, "-p", scratch]).catch(
    (failure: { readonly stdout: string }) => failure,
  );
  return stdout;
}

test("the example has a strategy and a test, and compiles as strictly as the packages do", () => {
  expect(strategy).toContain("defineForRegistry");
  expect(itsTest).toContain("test(");
  expect(output).toBe("");
  expect(loaded).toMatchObject([
    { status: "fulfilled", value: { balancedDefinition: { name: "balanced", defaults: { maxStretch: 10 } } } },
    { status: "fulfilled" },
  ]);
});

test("the registry has the list that the page adds a line to", async () => {
  const registry = await readFile(join(root, "packages", "algorithms", "src", "registry.ts"), "utf8");
  expect(page).toContain("   cooperativeDefinition,\n+  balancedDefinition,\n ];\n");
  expect(registry).toContain("\n  cooperativeDefinition,\n];\n");
});
