/** `npm run bench -- NAME [arguments]`: runs bench/NAME.mjs. A new bench only adds a file. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { ensure, script } from "./lib/ensure.mjs";
import { runNode } from "./lib/run.mjs";
import { complain, root } from "./lib/say.mjs";

function benchNames() {
  return readdirSync(join(root, "bench"))
    .filter((file) => file.endsWith(".mjs"))
    .map((file) => file.slice(0, -".mjs".length))
    .sort();
}

await script(async ([name, ...args]) => {
  if (name === undefined || !/^[a-z0-9-]+$/.test(name) || !existsSync(join(root, "bench", `${name}.mjs`))) {
    if (name !== undefined) complain(`bench: there is no bench "${name}"`);
    complain(`usage: npm run bench -- NAME [arguments]\nbenches: ${benchNames().join(", ") || "none yet"}`);
    return 2;
  }
  await ensure();
  return runNode(join(root, "bench", `${name}.mjs`), args);
});
