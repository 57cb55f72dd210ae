/** Reading attributes: an op's attributes are plain data, these give them their types back. */
import type { Attrs } from "../tensor.js";

export function numberOf(attrs: Attrs, name: string): number {
  const value = attrs[name];
  if (typeof value !== "number") throw new Error(`attribute ${name}: expected a number`);
  return value;
}

export function stringOf(attrs: Attrs, name: string): string {
  const value = attrs[name];
  if (typeof value !== "string") throw new Error(`attribute ${name}: expected a string`);
  return value;
}

export function flagOf(attrs: Attrs, name: string): boolean {
  return attrs[name] === true;
}

export function listOf(attrs: Attrs, name: string): readonly number[] {
  const value = attrs[name];
  if (!Array.isArray(value)) throw new Error(`attribute ${name}: expected a list`);
  return value;
}
