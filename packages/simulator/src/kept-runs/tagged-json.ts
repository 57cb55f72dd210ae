/**
 * JSON that gives back what it was given: besides plain values it holds Maps, bytes, and the numbers that JSON lacks (NaN, ±Infinity, −0).
 * A key that begins with `$` in a map of its own would be ambiguous; `toTagged` refuses it.
 */
import { deflateRawSync, inflateRawSync } from "node:zlib";

/** Throws for what it cannot hold, such as functions. */
export function toTagged(value: unknown): unknown {
  if (typeof value === "number")
    return Number.isFinite(value) && !Object.is(value, -0) ? value : { $number: spell(value) };
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (value instanceof Map) return { $map: [...value].map(([key, part]) => [toTagged(key), toTagged(part)]) };
  if (value instanceof Uint8Array) return { $bytes: deflateRawSync(value).toString("base64") };
  if (Array.isArray(value)) return value.map(toTagged);
  if (typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype) {
    const entries = Object.entries(value).filter(([, part]) => part !== undefined);
    const tagged = entries.find(([key]) => key.startsWith("$"));
    if (tagged !== undefined) throw new Error(`a key that begins with $ cannot be kept: ${tagged[0]}`);
    return Object.fromEntries(entries.map(([key, part]) => [key, toTagged(part)]));
  }
  throw new Error(`a ${typeof value} cannot be kept`);
}

export function fromTagged(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromTagged);
  if (value === null || typeof value !== "object") return value;
  if ("$number" in value) return value.$number === "-0" ? -0 : Number(value.$number);
  if ("$bytes" in value) return new Uint8Array(inflateRawSync(Buffer.from(String(value.$bytes), "base64")));
  if ("$map" in value) return new Map(fromTagged(value.$map) as [unknown, unknown][]);
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, fromTagged(part)]));
}

function spell(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}
