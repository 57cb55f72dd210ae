/**
 * What a strategy remembers from round to round, as a JSON file. Long vectors lie in a safetensors file beside it, which the JSON
 * names; there they stand as `{"$vector": name, "length": n}`.
 */
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { isStoredVector, StoredVector } from "@kumiai/algorithms";
import { KumiaiError } from "@kumiai/params";
import { z } from "zod";
import type { RoundReport } from "./report.js";

export interface SavedState {
  /** The last round that was aggregated; 0 before the first. */
  readonly round: number;
  readonly strategy: { readonly name: string; readonly options: Readonly<Record<string, unknown>> };
  /** With StoredVectors. */
  readonly state: unknown;
  /** Absolute path of the file that the vectors lie in. */
  readonly vectors: string | undefined;
  /** The call that made it, so that the same call twice is one round; undefined before the first. */
  readonly last: LastCall | undefined;
}

export interface LastCall {
  /** Folders, strategy and clients, as text. */
  readonly call: string;
  /** Size, time and inode of each present client's local file. */
  readonly locals: ReadonlyMap<string, string>;
  readonly report: RoundReport;
}

const FORMAT = "kumiai-aggregate-state";
const VERSION = 2;

const stateSchema = z.object({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  round: z.int().min(0),
  strategy: z.object({ name: z.string(), options: z.record(z.string(), z.unknown()) }),
  vectors: z.string().nullable(),
  state: z.unknown(),
  last: z.object({
    call: z.string(),
    locals: z.array(z.tuple([z.string(), z.string()])),
    report: z.looseObject({ round: z.int() }),
  }),
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
  const { round, strategy, state, vectors, last } = parsed.data;
  return {
    round,
    strategy,
    state,
    vectors: vectors === null ? undefined : join(dirname(file), basename(vectors)),
    last: {
      call: last.call,
      locals: new Map(last.locals),
      report: last.report as unknown as RoundReport,
    },
  };
}

/** `vectors`: name of the vectors' file, beside the state. Numbers come back as they were, bit for bit. */
export function formatState(
  { round, strategy, state, last }: Omit<SavedState, "vectors">,
  vectors: string | null,
): string {
  const saved = last === undefined ? undefined : { ...last, locals: [...last.locals] };
  const document = { format: FORMAT, version: VERSION, round, strategy, vectors, state, last: saved };
  const tagged = (_key: string, value: unknown): unknown => {
    if (isStoredVector(value)) return { $vector: value.name, length: value.length };
    if (typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0))) {
      return { $number: Object.is(value, -0) ? "-0" : String(value) };
    }
    return value;
  };
  return `${JSON.stringify(document, tagged, 1)}\n`;
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text, (_key, value: unknown) => untagged(value));
  } catch {
    throw malformed(file, "JSON", "text that is not");
  }
}

/** JSON has neither vectors in files nor −0, NaN and infinities. */
function untagged(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const { $vector: name, length, $number: number } = value as Readonly<Record<string, unknown>>;
  const count = Object.keys(value).length;
  if (count === 2 && typeof name === "string" && Number.isSafeInteger(length))
    return new StoredVector(name, Number(length));
  if (count === 1 && typeof number === "string") return Number(number);
  return value;
}

function malformed(file: string, expected: string, found: string): KumiaiError {
  return new KumiaiError(
    "STATE_MALFORMED",
    `${file}: expected ${expected}, found ${found}; restore the file, or begin anew with another --state`,
    { file, expected, found },
  );
}
