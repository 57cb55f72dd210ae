/** Reading of `result.json`: a file that another version wrote, or that is something else, is refused before it is shown. */
import { readFile } from "node:fs/promises";
import { KumiaiError } from "@kumiai/params";
import { z } from "zod";
import { type ComparisonResult, RESULT_SCHEMA_VERSION } from "./result.js";

/** What readers go through without asking; numbers may be null, as JSON has no NaN. */
const number = z.number().nullable();
const task = z.looseObject({ value: number, relativeGainPercent: number });
const client = z.looseObject({ relativeGainPercent: number, tasks: z.record(z.string(), task) });
const clientRound = z.looseObject({
  absent: z.boolean(),
  upBytes: z.number(),
  downBytes: z.number(),
  seconds: z.number(),
});
const round = z.looseObject({ round: z.int().min(0), clients: z.record(z.string(), clientRound) });
const seed = z.looseObject({
  relativeGainPercent: number,
  clients: z.record(z.string(), client),
  rounds: z.array(round),
  seconds: z.number(),
});
const strategy = z.looseObject({
  summary: z.string(),
  relativeGainPercent: number,
  upBytes: z.number(),
  downBytes: z.number(),
  notAboveConstant: z.array(z.string()),
  perSeed: z.record(z.string(), seed),
});
const scenarioClient = z.looseObject({
  id: z.string(),
  domain: z.string(),
  tasks: z.array(z.looseObject({ id: z.string(), metric: z.string(), unit: z.string(), higherIsBetter: z.boolean() })),
  trainCount: z.number(),
  trainLabelCount: z.number().optional(),
  paramCount: z.number(),
  flipTasks: z.array(z.string()).optional(),
});
const resultSchema = z.looseObject({
  schemaVersion: z.literal(RESULT_SCHEMA_VERSION),
  complete: z.boolean(),
  baseline: z.string().nullable(),
  seeds: z.array(z.number()),
  scenario: z.looseObject({ name: z.string(), rounds: z.number(), clients: z.array(scenarioClient) }),
  strategies: z.record(z.string(), strategy),
});

/** `file` is named in errors. Throws RESULT_MALFORMED. */
export function parseResult(text: string, file: string): ComparisonResult {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (cause) {
    throw malformed(file, `JSON, received text that is not (${cause instanceof Error ? cause.message : ""})`, cause);
  }
  const parsed = resultSchema.safeParse(raw);
  if (parsed.success) return parsed.data as unknown as ComparisonResult;
  const [issue] = parsed.error.issues;
  throw malformed(
    file,
    `a result of schema version ${RESULT_SCHEMA_VERSION}: ${issue?.path.join(".")}: ${issue?.message}`,
  );
}

/** Throws FILE_NOT_FOUND, FILE_UNREADABLE or RESULT_MALFORMED. */
export async function loadResult(file: string): Promise<ComparisonResult> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const isMissing = code === "ENOENT" || code === "ENOTDIR";
    throw new KumiaiError(
      isMissing ? "FILE_NOT_FOUND" : "FILE_UNREADABLE",
      `${file}: expected the result of a comparison, received ${isMissing ? "nothing under this name" : message}; name the folder that kumiai compare wrote`,
      { file },
      cause,
    );
  }
  return parseResult(text, file);
}

function malformed(file: string, expected: string, cause?: unknown): KumiaiError {
  const advice = "name the folder that kumiai compare wrote, or run it again";
  return new KumiaiError("RESULT_MALFORMED", `${file}: expected ${expected}; ${advice}`, { file }, cause);
}
