import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseFederation } from "../apps/cli/src/aggregate/federation.js";
import { parseScenario } from "../packages/simulator/src/config/parse.js";
import { parseSweep } from "../packages/simulator/src/sweep/load-sweep.js";

const root = fileURLToPath(new URL("..", import.meta.url));
/** Inside node_modules, so that the blocks find our packages as a user's program would. */
const scratch = join(root, "node_modules", ".cache", "docs-code");

interface Block {
  readonly page: string;
  readonly line: number;
  readonly language: string;
  readonly code: string;
}

async function pages(dir = "."): Promise<readonly string[]> {
  const skipped = new Set(["node_modules", "dist", "runs", ".git", ".cache"]);
  const found: string[] = [];
  for (const entry of await readdir(join(root, dir), { withFileTypes: true })) {
    if (skipped.has(entry.name)) continue;
    const path = join(dir, entry.name);
    if (entry.isDirectory()) found.push(...(await pages(path)));
    else if (entry.name.endsWith(".md")) found.push(path);
  }
  return found.sort();
}

async function blocks(): Promise<readonly Block[]> {
  const all: Block[] = [];
  for (const page of await pages()) {
    const text = await readFile(join(root, page), "utf8");
    for (const match of text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)) {
      const line = text.slice(0, match.index).split("\n").length;
      all.push({ page, line, language: match[1] ?? "", code: match[2] ?? "" });
    }
  }
  return all;
}

beforeAll(() => rm(scratch, { recursive: true, force: true }));
afterAll(() => rm(scratch, { recursive: true, force: true }));

test("every TypeScript block compiles against the built packages", async () => {
  await mkdir(scratch, { recursive: true });
  const typescript = (await blocks()).filter(({ language }) => language === "ts");
  expect(typescript.length).toBeGreaterThan(5);
  const files = typescript.map(({ page, line, code }) => {
    const file = `${page.replace(/[^\w]+/g, "_")}_line_${line}.ts`;
    return { file, text: `${code}\nexport {};\n` };
  });
  await Promise.all(files.map(({ file, text }) => writeFile(join(scratch, file), text)));
  await writeFile(join(scratch, "package.json"), '{ "type": "module" }');
  const compilerOptions = {
    noEmit: true,
    composite: false,
    noUnusedLocals: false,
    typeRoots: [join(root, "node_modules/@types")],
  };
  const config = { extends: join(root, "tsconfig.base.json"), compilerOptions, include: ["*.ts"] };
  await writeFile(join(scratch, "tsconfig.json"), JSON.stringify(config));
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const { stdout } = await promisify(execFile)(process.execPath, [tsc, "-p", scratch], { cwd: scratch }).catch(
    (failure: { readonly stdout: string }) => failure,
  );
  expect(stdout).toBe("");
});

test("every YAML block that is a whole scenario or federation file is accepted", async () => {
  const whole = (await blocks()).filter(({ language, code }) => language === "yaml" && /^clients:/m.test(code));
  const federations = whole.filter(({ code }) => /^strategy:/m.test(code));
  const scenarios = whole.filter((block) => !federations.includes(block));
  expect(Math.min(federations.length, scenarios.length)).toBeGreaterThan(0);
  for (const { page, line, code } of federations) {
    expect(() => parseFederation(code, `${page}:${line}`)).not.toThrow();
  }
  for (const { page, line, code } of scenarios) {
    expect(() => parseScenario(code, join(root, "examples", "scenes", `${page}:${line}`))).not.toThrow();
  }
});

test("every YAML block that is a whole sweep is accepted", async () => {
  const sweeps = (await blocks()).filter(({ language, code }) => language === "yaml" && /^degrees:/m.test(code));
  expect(sweeps.length).toBeGreaterThan(0);
  const file = join(root, "examples", "scenes", "overlap.yaml");
  const base = { file, text: await readFile(file, "utf8") };
  for (const { page, line, code } of sweeps) {
    expect(() => parseSweep(code, `${page}:${line}`, base)).not.toThrow();
  }
});
