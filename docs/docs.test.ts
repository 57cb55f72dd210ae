import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { ERROR_CODES } from "../packages/params/src/errors.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");
const manifest = (dir: string): { dependencies?: Record<string, string> } => JSON.parse(read(`${dir}/package.json`));

/** All Markdown pages that people read: docs, the README files, examples. */
function pages(): readonly string[] {
  const skipped = new Set(["node_modules", "dist", "runs", ".git", ".cache"]);
  const walk = (dir: string): string[] =>
    readdirSync(join(root, dir), { withFileTypes: true }).flatMap((entry) => {
      if (skipped.has(entry.name)) return [];
      const path = join(dir, entry.name);
      if (entry.isDirectory()) return walk(path);
      return entry.name.endsWith(".md") ? [path] : [];
    });
  return walk(".");
}

/** Cells of the rows of the first table whose head starts with `firstHead`. */
function tableRows(markdown: string, firstHead: string): readonly (readonly string[])[] {
  const lines = markdown.split("\n");
  const start = lines.findIndex((line) => new RegExp(`^\\| *${firstHead} *\\|`).test(line));
  const rows = lines.slice(start + 2);
  const end = rows.findIndex((line) => !line.startsWith("|"));
  return rows.slice(0, end === -1 ? undefined : end).map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

describe("error codes", () => {
  const pageNames = readdirSync(join(root, "docs/errors"))
    .filter((file) => file !== "README.md")
    .map((file) => file.replace(/\.md$/, ""));

  test("every code has a page and every page has a code", () => {
    expect(pageNames.sort()).toEqual(Object.keys(ERROR_CODES).sort());
  });

  test.each(Object.entries(ERROR_CODES))(
    "the page of %s states its exit code, what happened, why, what to do",
    (code, facts) => {
      const text = read(`docs/errors/${code}.md`);
      expect(text).toMatch(new RegExp(`^# ${code}\n`));
      expect(text).toContain(`Exit code ${facts.exitCode}.`);
      for (const heading of ["What happened", "Why", "What to do"]) expect(text).toContain(`\n## ${heading}\n`);
    },
  );

  test("the overview lists each code under its exit code", () => {
    const rows = tableRows(read("docs/errors/README.md"), "Exit code");
    const listed = rows.flatMap(([exitCode, codes]) =>
      [...(codes ?? "").matchAll(/\[([A-Z_]+)\]/g)].map(([, code]) => [code, Number(exitCode)] as const),
    );
    const expected = Object.entries(ERROR_CODES).map(([code, { exitCode }]) => [code, exitCode]);
    expect(listed.sort()).toEqual(expected.sort());
  });
});

test("the layer table of the architecture page equals layers.json", () => {
  const rows = tableRows(read("docs/explanation-architecture.md"), "Layer");
  const told = Object.fromEntries(rows.map(([layer, name, dir]) => [name, { layer: Number(layer), dir }]));
  expect(told).toEqual(JSON.parse(read("layers.json")));
});

test("every runtime dependency is a line in docs/dependencies.md, and every line is one", () => {
  const dirs: { dir: string }[] = Object.values(JSON.parse(read("layers.json")));
  const used = new Map<string, Set<string>>();
  for (const { dir } of dirs) {
    for (const name of Object.keys(manifest(dir).dependencies ?? {})) {
      if (!name.startsWith("@kumiai/")) used.set(name, (used.get(name) ?? new Set()).add(dir.split("/").at(-1) ?? dir));
    }
  }
  const listed = tableRows(read("docs/dependencies.md"), "Name").map(([name, , users]) => [name, users]);
  expect(listed.sort()).toEqual([...used].map(([name, users]) => [name, [...users].sort().join(", ")]).sort());
});

test("the license of every runtime dependency is the one that docs/dependencies.md states", () => {
  for (const [name, license] of tableRows(read("docs/dependencies.md"), "Name")) {
    expect([name, JSON.parse(read(`node_modules/${name}/package.json`)).license]).toEqual([name, license]);
  }
});

test("every decision is listed in docs/adr/README.md, numbered without gaps", () => {
  const files = readdirSync(join(root, "docs/adr"))
    .filter((file) => file !== "README.md")
    .sort();
  const listed = tableRows(read("docs/adr/README.md"), "Number").map(([cell]) => /\(([^)]+)\)/.exec(cell ?? "")?.[1]);
  expect(listed).toEqual(files);
  expect(files.map((file) => Number(file.slice(0, 4)))).toEqual(files.map((_, i) => i + 1));
});

test.each(pages())("%s: every relative link leads to a file", (page) => {
  const text = read(page).replace(/```[\s\S]*?```/g, "");
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)|(?:src|href)="([^"]+)"/g)].map(
    (match) => match[1] ?? match[2] ?? "",
  );
  const broken = targets
    .filter((target) => !/^(?:[a-z]+:|#)/.test(target))
    .map((target) => resolve(root, dirname(page), decodeURI(target.split("#")[0] ?? "")))
    .filter((path) => !existsSync(path))
    .map((path) => relative(root, path));
  expect(broken).toEqual([]);
});

test.each(pages())("%s: names no path of one machine", (page) => {
  expect(read(page).match(/(?<![\w.~])\/(?:home|root|tmp|work|Users|mnt)\/[^\s)`]*/g) ?? []).toEqual([]);
});
