/** The `traffic` section: how updates and params are encoded on their way, and how often they are exchanged. */
import type { UpdateCodec, ValueCodec } from "@kumiai/algorithms";
import { z } from "zod";

/** How one direction is encoded. */
export interface DirectionConfig {
  readonly codec: UpdateCodec;
  /** Whether what a frame leaves out is added to the next one. */
  readonly errorFeedback: boolean;
}

export interface TrafficConfig {
  /** From sites to the server. */
  readonly upload: DirectionConfig;
  /** From the server to sites. */
  readonly download: DirectionConfig & {
    /**
     * What a site has and the server sends the difference to: `sent` what it sent last (its own training), `base` what it got
     * before; `auto` the nearer of the two, round by round.
     */
    readonly reference: "auto" | "sent" | "base";
  };
  /** Sites exchange in every so many rounds and after the last; in between they train alone. */
  readonly syncEveryRounds: number;
}

const DENSE = ["f32", "f16", "int8"] as const;
export const CODEC_CHOICES = [...DENSE, "topk"] as const;

const blockSize = z.int().min(8).max(65_535).default(256);
const rounding = z.enum(["nearest", "stochastic"]).default("nearest");
const errorFeedback = z.boolean().default(true);
const reference = z.enum(["auto", "sent", "base"]).default("auto");

const SHAPES = {
  f32: { codec: z.literal("f32") },
  f16: { codec: z.literal("f16"), errorFeedback },
  int8: { codec: z.literal("int8"), errorFeedback, blockSize, rounding },
  topk: {
    codec: z.literal("topk"),
    errorFeedback,
    share: z.number().positive().max(1).default(0.1),
    values: z.enum(DENSE).default("f16"),
    blockSize,
    rounding,
  },
};

const uploadSchema = z
  .discriminatedUnion("codec", [
    z.strictObject(SHAPES.f32),
    z.strictObject(SHAPES.f16),
    z.strictObject(SHAPES.int8),
    z.strictObject(SHAPES.topk),
  ])
  .transform(toDirection);

const downloadSchema = z
  .discriminatedUnion("codec", [
    z.strictObject({ ...SHAPES.f32, reference }),
    z.strictObject({ ...SHAPES.f16, reference }),
    z.strictObject({ ...SHAPES.int8, reference }),
    z.strictObject({ ...SHAPES.topk, reference }),
  ])
  .transform((raw) => ({ ...toDirection(raw), reference: raw.reference }));

export const trafficSchema = z.strictObject({
  upload: uploadSchema.prefault({ codec: "f32" }),
  download: downloadSchema.prefault({ codec: "f32" }),
  syncEveryRounds: z.int().min(1).max(10_000).default(1),
});

const DIRECTION_KEYS = ["codec", "errorFeedback", "blockSize", "rounding", "share", "values"];

/** For suggestions, as `knownKeysAt` of the scenario. */
export const TRAFFIC_KEYS: Readonly<Record<string, readonly string[]>> = {
  traffic: ["upload", "download", "syncEveryRounds"],
  "traffic.upload": DIRECTION_KEYS,
  "traffic.download": [...DIRECTION_KEYS, "reference"],
};

type RawDirection = Readonly<
  | { codec: "f32" }
  | { codec: "f16"; errorFeedback: boolean }
  | ({ codec: "int8"; errorFeedback: boolean } & Blocks)
  | ({ codec: "topk"; errorFeedback: boolean; share: number; values: (typeof DENSE)[number] } & Blocks)
>;

type Blocks = Readonly<{ blockSize: number; rounding: "nearest" | "stochastic" }>;

function toDirection(raw: RawDirection): DirectionConfig {
  switch (raw.codec) {
    case "f32":
      return { codec: { codec: "f32" }, errorFeedback: false };
    case "topk":
      return {
        codec: { codec: "topk", share: raw.share, values: valueCodec(raw.values, raw) },
        errorFeedback: raw.errorFeedback,
      };
    case "f16":
      return { codec: { codec: "f16" }, errorFeedback: raw.errorFeedback };
    case "int8":
      return { codec: valueCodec("int8", raw), errorFeedback: raw.errorFeedback };
  }
}

function valueCodec(codec: (typeof DENSE)[number], { blockSize, rounding }: Blocks): ValueCodec {
  return codec === "int8" ? { codec, blockSize, rounding } : { codec };
}

/** For people: "int8 up, topk 10 % of int8 down, every 2 rounds". */
export function describeTraffic({ upload, download, syncEveryRounds }: TrafficConfig): string {
  const rhythm = syncEveryRounds === 1 ? "every round" : `every ${syncEveryRounds} rounds`;
  return `${describeDirection(upload)} up, ${describeDirection(download)} down, ${rhythm}`;
}

function describeDirection({ codec, errorFeedback }: DirectionConfig): string {
  const name = codec.codec === "topk" ? `topk ${100 * codec.share} % of ${codec.values.codec}` : codec.codec;
  return codec.codec === "f32" || errorFeedback ? name : `${name} without error feedback`;
}
