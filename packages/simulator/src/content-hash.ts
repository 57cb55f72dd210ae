import { createHash, type Hash } from "node:crypto";

/**
 * SHA-256 of a plain value: keys of maps in sorted order, arrays of numbers by their bytes. Equal contents have equal hashes, whatever the
 * order in which keys were written. `undefined` counts as absent.
 */
export function contentHash(value: unknown): string {
  const hash = createHash("sha256");
  addTo(hash, value);
  return hash.digest("hex");
}

function addTo(hash: Hash, value: unknown): void {
  if (ArrayBuffer.isView(value)) {
    hash.update(`bytes ${value.constructor.name} ${value.byteLength}\n`);
    hash.update(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  } else if (Array.isArray(value)) {
    hash.update(`list ${value.length}\n`);
    for (const part of value) addTo(hash, part);
  } else if (value instanceof Map || value instanceof Set) {
    // They would be hashed as empty maps, and different contents would count as equal.
    throw new TypeError(`contentHash: expected plain values, received a ${value.constructor.name}`);
  } else if (value !== null && typeof value === "object") {
    const entries = Object.entries(value)
      .filter(([, part]) => part !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    hash.update(`map ${entries.length}\n`);
    for (const [key, part] of entries) {
      hash.update(`${JSON.stringify(key)}\n`);
      addTo(hash, part);
    }
  } else {
    // Infinity and NaN are values of their own, unlike in JSON.
    hash.update(typeof value === "number" ? `number ${value}\n` : `${typeof value} ${JSON.stringify(value)}\n`);
  }
}
