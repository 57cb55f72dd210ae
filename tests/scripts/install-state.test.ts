import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { installHash, installState, stampPath, workspaceDirs } from "../../scripts/lib/install-state.mjs";

let root = "";
const installed = {
  "node_modules/zod": { version: "4.0.0", integrity: "sha512-a" },
  "node_modules/@kumiai/low": { resolved: "packages/low", link: true },
};
const lock = {
  packages: {
    "": { devDependencies: { zod: "^4.0.0" } },
    "packages/low": { dependencies: {} },
    ...installed,
    "node_modules/only-on-windows": { version: "1.0.0", integrity: "sha512-b", optional: true },
  },
};

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "kumiai-install-"));
  write("package.json", { workspaces: ["packages/*", "bench"], devDependencies: { zod: "^4.0.0" } });
  write("packages/low/package.json", { name: "@kumiai/low" });
  write("package-lock.json", lock);
  write("node_modules/.package-lock.json", { packages: installed });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, content: unknown): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), typeof content === "string" ? content : JSON.stringify(content));
}

test("what npm installed by hand is accepted, and current once it is stamped", () => {
  expect(installState(root)).toBe("unstamped");
  writeFileSync(stampPath(root), `${installHash(root)}\n`);
  expect(installState(root)).toBe("current");
});

test("without node_modules the installation is missing", () => {
  rmSync(join(root, "node_modules"), { recursive: true });
  expect(installState(root)).toBe("missing");
});

test("a package that changed in the lock makes the installation outdated, whatever the stamp said", () => {
  writeFileSync(stampPath(root), `${installHash(root)}\n`);
  write("package-lock.json", {
    packages: { ...lock.packages, "node_modules/zod": { version: "4.1.0", integrity: "sha512-c" } },
  });
  expect(installState(root)).toBe("outdated");
});

test("an installation that was cut short is outdated", () => {
  rmSync(join(root, "node_modules", ".package-lock.json"));
  expect(installState(root)).toBe("outdated");
});

test("a manifest that asks for more than the lock knows is unlocked", () => {
  write("packages/low/package.json", { name: "@kumiai/low", dependencies: { yaml: "^2" } });
  expect(installState(root)).toBe("unlocked");
});

test("a field of a manifest that concerns no dependency does not ask for an installation", () => {
  writeFileSync(stampPath(root), `${installHash(root)}\n`);
  write("packages/low/package.json", { name: "@kumiai/low", description: "new" });
  expect(installState(root)).toBe("unstamped");
});

test("workspaces are the folders with a package.json", () => {
  mkdirSync(join(root, "packages", "empty"));
  expect(workspaceDirs(root)).toEqual(["packages/low"]);
});
