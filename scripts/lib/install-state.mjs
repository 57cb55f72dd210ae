/** Is what stands in node_modules what package-lock.json and the manifests ask for? Pure but for reading files. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const STAMP = join("node_modules", ".kumiai-install");

/** Folders with a package.json of their own, relative to `root`, sorted. */
export function workspaceDirs(root) {
  const found = [];
  for (const pattern of readJson(join(root, "package.json")).workspaces) {
    if (!pattern.endsWith("/*")) {
      found.push(pattern);
      continue;
    }
    const parent = pattern.slice(0, -2);
    if (!existsSync(join(root, parent))) continue;
    for (const entry of readdirSync(join(root, parent), { withFileTypes: true })) {
      if (entry.isDirectory()) found.push(`${parent}/${entry.name}`);
    }
  }
  return found.filter((dir) => existsSync(join(root, dir, "package.json"))).sort();
}

/** Changes when the lock file, a manifest, the platform or the major version of Node does. */
export function installHash(root) {
  const hash = createHash("sha256");
  hash.update(`${process.platform}-${process.arch}-${process.versions.modules}\n`);
  for (const file of [
    "package-lock.json",
    "package.json",
    ...workspaceDirs(root).map((dir) => `${dir}/package.json`),
  ]) {
    hash.update(`${file}\n`);
    if (existsSync(join(root, file))) hash.update(readFileSync(join(root, file)));
  }
  return hash.digest("hex");
}

export function stampPath(root) {
  return join(root, STAMP);
}

/**
 * `current`: nothing to do. `unstamped`: complete, but our stamp is missing or old (somebody ran npm by hand).
 * `missing`, `outdated`: `npm ci` is due. `unlocked`: a manifest asks for what the lock does not know, or there is
 * no lock: `npm install` is due.
 */
export function installState(root) {
  const lock = readJsonIfThere(join(root, "package-lock.json"));
  if (lock === undefined || !lockKnowsManifests(root, lock)) return "unlocked";
  if (!existsSync(join(root, "node_modules"))) return "missing";
  const stamp = stampPath(root);
  if (existsSync(stamp) && readFileSync(stamp, "utf8").trim() === installHash(root)) return "current";
  const installed = readJsonIfThere(join(root, "node_modules", ".package-lock.json"));
  return installed !== undefined && installedEqualsLock(lock, installed) ? "unstamped" : "outdated";
}

function lockKnowsManifests(root, lock) {
  return ["", ...workspaceDirs(root)].every((dir) => {
    const manifest = readJson(join(root, dir, "package.json"));
    const locked = lock.packages?.[dir];
    return (
      locked !== undefined &&
      ["dependencies", "devDependencies"].every((kind) => equalRecords(manifest[kind] ?? {}, locked[kind] ?? {}))
    );
  });
}

/** npm keeps a lock of what it really installed; optional packages of other platforms are not in it. */
function installedEqualsLock(lock, installed) {
  return Object.entries(lock.packages).every(([path, wanted]) => {
    if (!path.startsWith("node_modules/")) return true;
    const found = installed.packages?.[path];
    if (found === undefined) return wanted.optional === true;
    return found.version === wanted.version && found.integrity === wanted.integrity;
  });
}

function equalRecords(a, b) {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

function readJson(path) {
  return JSON.parse(readFileSync(path, "utf8"));
}

function readJsonIfThere(path) {
  return existsSync(path) ? readJson(path) : undefined;
}
