/** The YAML's shape as a zod schema: strict, with defaults. What crosses fields or packages is checked in `check.ts`. */
import { z } from "zod";
import { DECISION_KEYS, pricesSchema, thresholdsSchema } from "./decision-schema.js";
import { TRAFFIC_KEYS, trafficSchema } from "./traffic-schema.js";

const integer = (low: number, high: number) => z.int().min(low).max(high);
const positive = (high: number) => z.number().positive().max(high);

const encoderSchema = z.strictObject({
  channels: z.array(integer(1, 1024)).min(1).max(6).default([16, 24, 32, 48]),
  kernel: integer(1, 99)
    .refine((kernel) => kernel % 2 === 1, "expected an odd number")
    .default(5),
  norms: z.enum(["shared", "own"]).default("shared"),
  init: z.string().min(1).optional(),
});

const modelSchema = z.strictObject({
  stem: z.strictObject({ width: integer(1, 1024).default(16) }).prefault({}),
  encoder: encoderSchema.prefault({}),
  decoder: z.strictObject({ width: integer(1, 1024).default(24) }).prefault({}),
});

const namedOptimizerSchema = z.discriminatedUnion("name", [
  z.strictObject({
    name: z.literal("adamw"),
    learningRate: positive(1).default(0.003),
    weightDecay: z.number().min(0).max(1).default(0.0001),
  }),
  z.strictObject({
    name: z.literal("sgd"),
    learningRate: positive(10).default(0.05),
    weightDecay: z.number().min(0).max(1).default(0.0001),
    momentum: z.number().min(0).lt(1).default(0.9),
  }),
]);

/** An optimizer without a name is AdamW, as `docs/ref-scenario.md` says of the default. */
const optimizerSchema = z.preprocess(
  (raw) => (isRecord(raw) && !("name" in raw) ? { name: "adamw", ...raw } : raw),
  namedOptimizerSchema,
);

/** A small loss of a task with a small range: 1 − cosine of normals 12° off is 0.02. */
const lossWeightsSchema = z.record(z.string(), positive(1000));

const trainingSchema = z.strictObject({
  rounds: integer(1, 10_000).default(25),
  localEpochs: integer(1, 1000).default(2),
  batchSize: integer(1, 1024).default(8),
  optimizer: optimizerSchema.prefault({}),
  warmupRounds: integer(0, 10_000).default(3),
  schedule: z.enum(["cosine", "constant"]).default("cosine"),
  clipNorm: positive(1e6).nullable().default(1),
  optimizerState: z.enum(["keep", "reset"]).default("keep"),
  backgroundLossWeight: positive(100).default(0.2),
  lossWeights: lossWeightsSchema.default({ normals: 10 }),
});

const evaluationSchema = z.strictObject({
  everyRounds: integer(1, 10_000).default(5),
  testCount: integer(1, 10_000).default(100),
});

const scenesSchema = z.strictObject({ size: integer(16, 256).multipleOf(16).default(64) });

const splitSchema = z.strictObject({
  blockLength: integer(1, 1_000_000).default(10),
  testShare: z.number().gt(0).lt(1).default(0.3),
  gap: integer(0, 1_000_000).default(0),
});

const windowSchema = z.strictObject({
  length: integer(1, 100_000).default(30),
  stride: integer(1, 100_000).default(5),
});

const targetSchema = z.strictObject({
  column: z.string().min(1).optional(),
  kind: z.enum(["classes", "binary", "number"]),
  classes: z
    .array(z.union([z.string(), z.number()]))
    .min(2)
    .max(250)
    .optional(),
  positive: z.union([z.string(), z.number()]).optional(),
  metric: z.enum(["macro-f1", "auroc", "mae", "rmse", "phm08"]).optional(),
});

const csvSchema = z.strictObject({
  kind: z.literal("csv"),
  file: z.string().min(1).optional(),
  delimiter: z
    .string()
    .refine((mark) => [...mark].length === 1, 'expected one character, e.g. ";", or "\\t" in double quotes for a tab')
    .default(","),
  decimal: z.enum([".", ","]).default("."),
  header: z.boolean().default(true),
  encoding: z.string().min(1).default("utf-8"),
  missing: z.array(z.string()).optional(),
  unit: z.string().min(1).optional(),
  time: z.string().min(1).optional(),
  maxTimeStep: positive(Number.MAX_VALUE).optional(),
  sensors: z.array(z.string().min(1)).min(1).optional(),
  ignore: z.array(z.string().min(1)).default([]),
  targets: z.record(z.string(), targetSchema),
  window: windowSchema.prefault({}),
  split: splitSchema.prefault({}),
});

const dataSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("scenes") }),
  z.strictObject({
    kind: z.literal("hydraulic"),
    folder: z.string().min(1).optional(),
    split: splitSchema.prefault({}),
  }),
  z.strictObject({
    kind: z.literal("cmapss"),
    folder: z.string().min(1).optional(),
    window: windowSchema.prefault({}),
    split: splitSchema.prefault({}),
  }),
  csvSchema,
]);

const clientSchema = z.strictObject({
  id: z.string(),
  domain: z.string().min(1).max(63).optional(),
  tasks: z.array(z.string()).min(1),
  trainCount: integer(1, 1_000_000).optional(),
  classSkew: positive(1e6).nullable().optional(),
  domainShift: z.number().min(0).max(1).optional(),
  flipTasks: z.array(z.string()).optional(),
  sensors: z.array(z.string().min(1)).min(1).optional(),
  where: z.record(z.string(), z.array(z.union([z.string(), z.number()])).min(1)).default({}),
  period: z.tuple([z.number().min(0).max(1), z.number().min(0).max(1)]).default([0, 1]),
  blocks: z.tuple([integer(0, 999), integer(1, 1000)]).optional(),
  subset: z.string().min(1).optional(),
  units: z
    .array(z.union([z.string(), z.number()]))
    .min(1)
    .optional(),
  file: z.string().min(1).optional(),
  joinsAtRound: integer(1, 10_000).default(1),
  absentRounds: z.array(integer(1, 10_000)).default([]),
});

/** `membership` has no default: a section that says nothing measures nothing. */
const privacySchema = z.strictObject({ membership: z.boolean(), examples: integer(8, 10_000).default(64) });

export const scenarioSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9](?:[a-z0-9._-]{0,62})$/i, 'expected 1 to 63 letters, digits, ".", "_" or "-"'),
  description: z.string().max(1000).default(""),
  data: dataSchema.default({ kind: "scenes" }),
  scenes: scenesSchema.prefault({}),
  model: modelSchema.prefault({}),
  training: trainingSchema.prefault({}),
  evaluation: evaluationSchema.prefault({}),
  traffic: trafficSchema.optional(),
  prices: pricesSchema.optional(),
  thresholds: thresholdsSchema.optional(),
  strategies: z
    .record(z.string(), z.looseObject({ kind: z.string().optional(), traffic: trafficSchema.optional() }).nullable())
    .default({}),
  clients: z.array(clientSchema).min(1).max(10_000),
  privacy: privacySchema.optional(),
});

export type RawScenario = z.output<typeof scenarioSchema>;

/** Keys that the schema knows at a path (indices ignored), for suggestions. */
export function knownKeysAt(path: readonly PropertyKey[]): readonly string[] {
  // A strategy's `traffic` has the keys of the scenario's.
  const place = path[0] === "strategies" && path[2] === "traffic" ? path.slice(2) : path;
  return KNOWN_KEYS[place.filter((part) => typeof part !== "number").join(".")] ?? [];
}

const KNOWN_KEYS: Readonly<Record<string, readonly string[]>> = {
  "": Object.keys(scenarioSchema.shape),
  scenes: Object.keys(scenesSchema.shape),
  data: ["kind", "folder", "split", "window", ...Object.keys(csvSchema.shape)],
  "data.split": Object.keys(splitSchema.shape),
  "data.window": Object.keys(windowSchema.shape),
  model: Object.keys(modelSchema.shape),
  "model.stem": ["width"],
  "model.encoder": Object.keys(encoderSchema.shape),
  "model.decoder": ["width"],
  training: Object.keys(trainingSchema.shape),
  "training.optimizer": ["name", "learningRate", "weightDecay", "momentum"],
  evaluation: Object.keys(evaluationSchema.shape),
  clients: Object.keys(clientSchema.shape),
  ...TRAFFIC_KEYS,
  ...DECISION_KEYS,
  privacy: Object.keys(privacySchema.shape),
};

function isRecord(raw: unknown): raw is Readonly<Record<string, unknown>> {
  return typeof raw === "object" && raw !== null && !Array.isArray(raw);
}
