import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

/** The comparison alone would not see a change in what is masked, or one below its tolerances. */
test.each([
  ["conv_net", "bf851a4225e78ded9dcbd15848a7dc729d8487b72390021fb540787eb4416961"],
  ["mlp", "d17eff18a8e523a9d1797a82739763de8f512b8bb829a41230496736735df279"],
  ["transformer", "4bb47f853bbf27a04304a0977766672f4ddcc30ac0a2bc3d81be9f3e778a6bc5"],
])("%s.safetensors is the file that make_fixtures.py wrote, to the byte", (name, sha256) => {
  const bytes = readFileSync(new URL(`../../../../fixtures/training/${name}.safetensors`, import.meta.url));
  expect(createHash("sha256").update(bytes).digest("hex")).toBe(sha256);
});
