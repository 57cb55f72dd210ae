import { createHash } from "node:crypto";
import type { Scenario } from "./config/scenario.js";

/**
 * SHA-256 of what a scenario means: the parsed values with defaults filled in, and the encoder file by its content, not
 * by its place. Comments, order of keys, folders, prices and thresholds do not change
 * it, nor does what is measured besides.
 */
export function configHashOf(scenario: Scenario, encoderHash: string | null): string {
  const { prices: _prices, thresholds: _thresholds, privacy: _privacy, ...trained } = scenario;
  const { initFile, ...encoder } = scenario.model.encoder;
  const meaning = {
    ...trained,
    data: { ...scenario.data, folder: null, file: null },
    model: { ...scenario.model, encoder: { ...encoder, initHash: encoderHash } },
    clients: scenario.clients.map((client) => ({
      ...client,
      series: client.series === null ? null : { ...client.series, file: null },
    })),
  };
  return createHash("sha256").update(canonical(meaning)).digest("hex");
}

/** JSON with sorted keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    part !== null && typeof part === "object" && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
