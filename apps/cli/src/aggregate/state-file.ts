/**
 * What a strategy remembers from round to round, as a JSON file. Long vectors lie in a safetensors file beside it, which the JSON
 * names; there they stand as `{"$vector": name, "length": n}`.
 */
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { isStoredVector, StoredVector } from "@kumiai/algorithms";
import { KumiaiError } from "@kumiai/params";
import { z } from "zod";

export interface SavedState {
  /** The last round that was aggregated; 0 before the first. */
  readonly round: number;
  readonly strategy: { readonly name: string; readonly options: Readonly<Record<string, unknown>> };
  /** With StoredVectors. */
  readonly state: unknown;
  /** Absolute path of the file that the vectors lie in. */
  readonly vectors: string | undefined;
}

const FORMAT = "kumiai-aggregate-state";
const VERSION = 1;

const stateSchema = z.object({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  round: z.int().min(0),
  strategy: z.object({ name: z.string(), options: z.record(z.string(), z.unknown()) }),
  vectors: z.string().nullable(),
  state: z.unknown(),
});

/** Undefined where there is no file. Throws STATE_MALFORMED or FILE_UNREADABLE. */
export async function readState(file: string): Promise<SavedState | undefined> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    const reason = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown";
    if (reason === "ENOENT") return undefined;
    throw new KumiaiError(
      "FILE_UNREADABLE",
      `${file}: cannot read (${reason}); check the path`,
      { file, reason },
      cause,
    );
  }
  const raw = parseJson(text, file);
  const parsed = stateSchema.safeParse(raw);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw malformed(
      file,
      `a state file of version ${VERSION}`,
      `${issue?.path.join(".") || "the whole file"}: ${issue?.message}`,
    );
  }
  const { round, strategy, state, vectors } = parsed.data;
  return { round, strategy, state, vectors: vectors === null ? undefined : join(dirname(file), basename(vectors)) };
}

/** `vectors`: name of the vectors' file, beside the state. */
export function formatState({ round, strategy, state }: Omit<SavedState, "vectors">, vectors: string | null): string {
  const document = { format: FORMAT, version: VERSION, round, strategy, vectors, state };
  const asNames = (_key: string, value: unknown): unknown =>
    isStoredVector(value) ? { $vector: value.name, length: value.length } : value;
  return `${JSON.stringify(document, asNames, 1)}\n`;
}

function parseJson(text: string, file: string): unknown {
  const asVectors = (_key: string, value: unknown): unknown => {
    if (typeof value !== "object" || value === null || !("$vector" in value)) return value;
    const { $vector: name, length } = value as { readonly $vector: unknown; readonly length?: unknown };
    if (typeof name === "string" && Number.isSafeInteger(length)) return new StoredVector(name, Number(length));
    throw malformed(file, "a vector with its name and length", JSON.stringify(value));
  };
  try {
    return JSON.parse(text, asVectors);
  } catch (error) {
    if (error instanceof KumiaiError) throw error;
    throw malformed(file, "JSON", "text that is not");
  }
}

function malformed(file: string, expected: string, found: string): KumiaiError {
  return new KumiaiError(
    "STATE_MALFORMED",
    `${file}: expected ${expected}, found ${found}; restore the file, or begin anew with another --state`,
    { file, expected, found },
  );
}
