/**
 * Reads `fixtures/fedhca2/<name>.safetensors`: inputs and outputs of the authors' implementation over several rounds.
 * Keeps count of the tensors handed out, so that a test can prove that it looked at every one.
 */
import { fileURLToPath } from "node:url";
import {
  createLayout,
  type ParamSlotSpec,
  type ParamsFile,
  type ParamVector,
  parseClientId,
  parseTaskId,
  readParamsFile,
  slotView,
  type TaskId,
} from "@kumiai/params";
import type { ClientSpec } from "../strategy.js";

export interface FedHca2Fixture {
  readonly sha256: string;
  readonly roundCount: number;
  readonly clients: readonly ClientSpec[];
  /** As the strategy takes them. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Hyper-weights used in a round (from 0): α by client, β by layer, both in the authors' order. */
  readonly alpha: readonly (readonly number[])[];
  readonly beta: readonly Readonly<Record<string, readonly number[]>>[];
  /** Decoder keys in the authors' order: single-task clients, then multi-task clients with their tasks sorted. */
  readonly decoderKeys: readonly string[];
  /** `base` of a later round than the first is `aggregated` of the round before: the file has it once. */
  params(round: number, stage: Stage, client: ClientSpec): ParamVector;
  /** Tensors that nobody has asked for. */
  unread(): readonly string[];
}

type Stage = "base" | "local" | "aggregated";

interface FixtureClient {
  readonly dataset: string;
  readonly tasks: readonly string[];
}

export async function readFedHca2Fixture(name: string): Promise<FedHca2Fixture> {
  const path = fileURLToPath(new URL(`../../../../fixtures/fedhca2/${name}.safetensors`, import.meta.url));
  const file = await readParamsFile(path);
  const parse = <T>(key: string): T => JSON.parse(file.metadata[key] ?? "null") as T;
  const clients = parse<readonly FixtureClient[]>("clients").map((client, index) => specOf(client, index, file));
  const optimizer = parse<{ lr: number; momentum: number; weight_decay: number }>("hyper_optimizer");
  const read = new Set<string>();
  return {
    sha256: file.sha256,
    roundCount: parse("rounds"),
    clients,
    options: {
      conflictRadius: parse("ca_c"),
      encoderAlpha: parse("alpha_init"),
      decoderBeta: parse("beta_init"),
      hyperOptimizer: {
        learningRate: optimizer.lr,
        momentum: optimizer.momentum,
        weightDecay: optimizer.weight_decay,
      },
    },
    alpha: parse("alpha"),
    beta: parse("beta"),
    decoderKeys: decoderKeysOf(clients),
    params(round, stage, client) {
      const params = new Float32Array(client.layout.size);
      for (const slot of client.layout.slots) {
        const tensor = tensorName(round, stage, clients.indexOf(client), slot.name);
        const found = file.tensors.get(tensor);
        if (found === undefined) throw new Error(`${name}: no tensor ${tensor}`);
        slotView(params, slot).set(found.values);
        read.add(tensor);
      }
      return params;
    },
    unread: () => [...file.tensors.keys()].filter((tensor) => !read.has(tensor)),
  };
}

/** `backbone.` is the authors' word for what slot names call `encoder.`. */
function tensorName(round: number, stage: Stage, client: number, slot: string): string {
  if (stage === "base" && round > 0) return tensorName(round - 1, "aggregated", client, slot);
  return `round${round}/${stage}/${client}/${slot.replace(/^encoder\./, "backbone.")}`;
}

function specOf({ dataset, tasks }: FixtureClient, index: number, file: ParamsFile): ClientSpec {
  const prefix = `round0/base/${index}/`;
  const slots: ParamSlotSpec[] = [];
  for (const [tensor, { shape }] of file.tensors) {
    if (!tensor.startsWith(prefix)) continue;
    const name = tensor.slice(prefix.length).replace(/^backbone\./, "encoder.");
    slots.push({ name, shape, layer: name.replace(/\.[^.]+$/, ""), role: roleOf(name) });
  }
  return {
    id: parseClientId(`client-${index}`),
    domain: dataset,
    tasks: tasks.map(parseTaskId),
    layout: createLayout(slots),
  };
}

function roleOf(name: string): ParamSlotSpec["role"] {
  const [group, task] = name.split(".");
  if (group === "encoder") return { kind: "encoder" };
  if (group === "decoders") return { kind: "decoder", task: parseTaskId(task) };
  return { kind: "head", task: parseTaskId(task) };
}

function decoderKeysOf(clients: readonly ClientSpec[]): readonly string[] {
  const key = (client: ClientSpec, task: TaskId | undefined): string => `${client.id}/${task}`;
  const single = clients.filter(({ tasks }) => tasks.length === 1);
  const several = clients.filter(({ tasks }) => tasks.length > 1);
  return [
    ...single.map((client) => key(client, client.tasks[0])),
    ...several.flatMap((client) => [...client.tasks].sort().map((task) => key(client, task))),
  ];
}
