/** Entry of a measured process: `aggregate-child.mjs '{ "kind": "memory" | "files" | "scale", … }'`. One JSON line comes out. */
import { measureFiles } from "./aggregate-files.mjs";
import { measureInMemory } from "./aggregate-memory.mjs";
import { measureScale } from "./aggregate-scale.mjs";

const { kind, ...options } = JSON.parse(process.argv[2] ?? "");
const measure = { memory: measureInMemory, files: measureFiles, scale: measureScale }[kind];
process.stdout.write(`${JSON.stringify(await measure(options))}\n`);
