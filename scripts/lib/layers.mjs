/**
 * The layer table. `layers.json` says which layer each package is in; a package may import only from lower layers, only
 * by the other package's public name, and only what its own package.json lists. Pure but for reading files.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, relative, resolve, sep } from "node:path";
import { workspaceDirs } from "./install-state.mjs";

const SOURCE_FILE = /\.(?:ts|mts|mjs|js)$/;
const TEST_FILE = /\.test\.ts$|\.contract\.ts$|(?:^|\/)testing\//;
const IMPORT =
  /(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire(?:\.resolve)?\s*\(\s*|\bimport\.meta\.resolve\s*\(\s*)(["'])([@.#\w][-\w@./:#]*)\1/g;
/** What a library must be given, not take: randomness, time and the environment come in through the door. */
const AMBIENT = /\b(?:Math\.random|Date\.now|performance\.now|new Date)\s*\(|\bprocess\.(?:env|argv|exit|cwd)\b/;
const BUILTINS = new Set([...builtinModules, ...builtinModules.map((name) => `node:${name}`)]);
const SCOPE = "@kumiai/";

/** `{ name: { layer, dir } }` as in layers.json. */
export function readLayers(root) {
  return JSON.parse(readFileSync(join(root, "layers.json"), "utf8"));
}

/** Every breach as one line `where: what`, in a stable order; empty when the table holds. */
export function layerViolations(root, layers = readLayers(root)) {
  const found = tableViolations(root, layers);
  for (const [name, { dir }] of Object.entries(layers)) {
    if (!existsSync(join(root, dir, "package.json"))) continue;
    found.push(...packageViolations(root, layers, name));
  }
  return found;
}

function tableViolations(root, layers) {
  const listed = new Set(Object.values(layers).map(({ dir }) => dir));
  const existing = workspaceDirs(root);
  return [
    ...existing.filter((dir) => !listed.has(dir)).map((dir) => `layers.json: ${dir} has no layer`),
    ...[...listed]
      .filter((dir) => !existing.includes(dir))
      .map((dir) => `layers.json: ${dir} is listed but has no package.json`),
  ];
}

function packageViolations(root, layers, name) {
  const { dir } = layers[name];
  const manifest = JSON.parse(readFileSync(join(root, dir, "package.json"), "utf8"));
  const rootManifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const dependencies = Object.keys(manifest.dependencies ?? {});
  const forTests = [...Object.keys(manifest.devDependencies ?? {}), ...Object.keys(rootManifest.devDependencies ?? {})];
  const found = [];
  if (manifest.name !== SCOPE + name) {
    found.push(`${dir}/package.json: expected the name ${SCOPE}${name}, received ${manifest.name}`);
  }
  for (const dependency of dependencies.filter((each) => each.startsWith(SCOPE))) {
    const problem = upwardProblem(layers, name, dependency.slice(SCOPE.length));
    if (problem) found.push(`${dir}/package.json: ${problem}`);
  }
  const used = new Set();
  for (const file of sourceFiles(join(root, dir))) {
    const where = relative(root, file).split(sep).join("/");
    const allowed = TEST_FILE.test(where) ? [...dependencies, ...forTests] : dependencies;
    const text = readFileSync(file, "utf8");
    // A package that is read as data is named in a string and never imported.
    for (const name of dependencies) if (text.includes(`"${name}"`)) used.add(name);
    for (const { specifier, line } of importsOf(text)) {
      used.add(packageOf(specifier));
      const problem = importProblem({ root, layers, name, file, specifier, allowed });
      if (problem) found.push(`${where}:${line}: ${problem}`);
    }
    if (where.startsWith(`${dir}/src/`) && dir.startsWith("packages/") && !TEST_FILE.test(where))
      found.push(...ambientViolations(where, text));
  }
  return [...found, ...manifestViolations(root, dir, dependencies, used)];
}

/** Dependencies that nothing uses, and TypeScript references that do not follow the dependencies. */
function manifestViolations(root, dir, dependencies, used) {
  const found = dependencies
    .filter((dependency) => !used.has(dependency))
    .map((dependency) => `${dir}/package.json: depends on ${dependency}, which no file imports`);
  const config = join(root, dir, "tsconfig.json");
  if (!existsSync(config)) return found;
  const references = (parseJsonWithComments(readFileSync(config, "utf8")).references ?? []).map(
    ({ path }) =>
      SCOPE + JSON.parse(readFileSync(join(root, dir, path, "package.json"), "utf8")).name.slice(SCOPE.length),
  );
  const internal = dependencies.filter((dependency) => dependency.startsWith(SCOPE));
  for (const dependency of internal.filter((each) => !references.includes(each))) {
    found.push(`${dir}/tsconfig.json: no reference to ${dependency}, on which package.json depends`);
  }
  for (const reference of references.filter((each) => !internal.includes(each))) {
    found.push(`${dir}/tsconfig.json: references ${reference}, on which package.json does not depend`);
  }
  return found;
}

/** tsconfig.json may have comments and trailing commas; none of ours has them inside a string. */
function parseJsonWithComments(text) {
  return JSON.parse(text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "").replace(/,(\s*[}\]])/g, "$1"));
}

function upwardProblem(layers, name, target) {
  if (layers[target] === undefined) return `${SCOPE}${target} is not in layers.json`;
  if (layers[target].layer < layers[name].layer) return undefined;
  const relation = layers[target].layer === layers[name].layer ? "the same layer" : "a higher layer";
  return `${name} (layer ${layers[name].layer}) may not use ${target} (layer ${layers[target].layer}): ${relation}`;
}

function importProblem({ root, layers, name, file, specifier, allowed }) {
  if (BUILTINS.has(specifier)) return undefined;
  if (specifier.startsWith(".")) {
    const own = resolve(root, layers[name].dir) + sep;
    return resolve(dirname(file), specifier).startsWith(own) ? undefined : `${specifier} leaves the package`;
  }
  const target = packageOf(specifier);
  if (target === SCOPE + name) {
    // A program beside the source, such as the one that draws a picture for the docs, is a user of the package.
    return relative(resolve(root, layers[name].dir), file).startsWith("src")
      ? `${specifier}: a package does not import itself by name`
      : undefined;
  }
  if (target.startsWith(SCOPE)) {
    const problem = upwardProblem(layers, name, target.slice(SCOPE.length));
    if (problem) return problem;
    if (specifier.includes("/dist/") || specifier.includes("/src/"))
      return `${specifier} reaches behind the public entry`;
  }
  return allowed.includes(target) ? undefined : `${target} is not a dependency in package.json`;
}

function ambientViolations(where, text) {
  const found = [];
  text.split("\n").forEach((line, index) => {
    if (/^\s*(?:\*|\/\/|\/\*)/.test(line)) return;
    const hit = AMBIENT.exec(line.replace(/\/\/.*$/, ""));
    if (hit) found.push(`${where}:${index + 1}: ${hit[0].replace(/\s*\($/, "")} in a library; take it as an argument`);
  });
  return found;
}

/** `@scope/name/deep` and `name/deep` → the package's name. */
export function packageOf(specifier) {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** Specifiers of static and dynamic imports, re-exports and resolves, with their lines; comment lines do not count. */
export function importsOf(text) {
  const code = text.replace(/^[ \t]*(?:\*|\/\/|\/\*).*$/gm, "");
  return [...code.matchAll(IMPORT)].map((match) => ({
    specifier: match[2],
    line: code.slice(0, match.index).split("\n").length,
  }));
}

function sourceFiles(dir) {
  const found = [];
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    if (entry.name === "node_modules" || entry.name === "dist" || entry.name.startsWith(".")) continue;
    const path = join(dir, entry.name);
    if (entry.isDirectory()) found.push(...sourceFiles(path));
    else if (SOURCE_FILE.test(entry.name)) found.push(path);
  }
  return found.sort();
}
