/** The shape of a sweep file as a zod schema. What a degree changes is checked as part of its scenario. */
import { z } from "zod";
import type { ConfigKind } from "../config/issues.js";

const axisSchema = z.strictObject({
  label: z.string().min(1).max(200),
  scale: z.enum(["linear", "log", "category"]).default("category"),
  path: z.string().min(1).optional(),
});

const degreeSchema = z.strictObject({
  at: z.union([z.number(), z.string().min(1).max(60)], "expected a number or text"),
  label: z.string().min(1).max(60).optional(),
  set: z.record(z.string(), z.unknown()).default({}),
  clients: z.array(z.unknown()).min(1).optional(),
});

export const sweepSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9](?:[a-z0-9._-]{0,39})$/i, 'expected 1 to 40 letters, digits, ".", "_" or "-"'),
  description: z.string().max(1000).default(""),
  base: z.string().min(1),
  axis: axisSchema,
  strategies: z.array(z.string().min(1)).min(2),
  seeds: z
    .array(
      z
        .int()
        .min(0)
        .max(2 ** 31 - 1),
    )
    .min(1)
    .default([1]),
  degrees: z.array(degreeSchema).min(2).max(100),
});

export type RawSweep = z.output<typeof sweepSchema>;

const KNOWN_KEYS: Readonly<Record<string, readonly string[]>> = {
  "": Object.keys(sweepSchema.shape),
  axis: Object.keys(axisSchema.shape),
  degrees: Object.keys(degreeSchema.shape),
};

export const SWEEP_FILE: ConfigKind = {
  knownKeysAt: (path) => KNOWN_KEYS[path.filter((part) => typeof part !== "number").join(".")] ?? [],
  whole: 'a map with "name", "base", "axis", "strategies" and "degrees"',
  examples: "examples/sweeps",
};
