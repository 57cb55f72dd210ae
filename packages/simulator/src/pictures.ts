/** Pictures for the report: the first test scenes of every client, not chosen ones, with each strategy's predictions. */
import {
  type DenseExamples,
  outputPlanes,
  renderImage,
  renderLabel,
  renderPrediction,
  sceneTask,
} from "@kumiai/datasets";
import type { ClientId, ParamVector, TaskId } from "@kumiai/params";
import type { Scenario } from "./config/scenario.js";
import { labelRows } from "./examples.js";
import { sessionOptionsOf } from "./model.js";
import type { WorkerPool } from "./pool/pool.js";
import type { PictureSet } from "./result.js";
import { type ClientContext, type SeedContext, settleAll } from "./seed-context.js";

/** Test scenes shown per client and task: rows 0 to 2. */
const SHOWN_SCENE_COUNT = 3;

export interface PictureBook {
  /** Predicts the shown scenes with a strategy's final params. */
  add(
    strategy: string,
    context: SeedContext,
    params: ReadonlyMap<ClientId, ParamVector>,
    signal: AbortSignal | undefined,
  ): Promise<void>;
  /** Takes over pictures of a strategy that another book has made of the same seed. */
  restore(strategy: string, sets: readonly PictureSet[]): void;
  /** By client, then task, in the scenario's order; empty before the first `add`. */
  sets(): readonly PictureSet[];
  /** With the predictions of one strategy alone. */
  setsOf(strategy: string): readonly PictureSet[];
}

interface Page {
  readonly input: Uint8Array;
  readonly truth: Uint8Array;
  readonly predictions: Record<string, Uint8Array>;
}

interface OpenSet {
  readonly client: string;
  readonly task: string;
  readonly height: number;
  readonly width: number;
  readonly scenes: readonly Page[];
}

export function openPictureBook(scenario: Scenario, pool: WorkerPool): PictureBook {
  const sets = new Map<string, OpenSet>();
  const setOf = (client: ClientContext, shown: DenseExamples, task: TaskId): OpenSet => {
    const key = `${client.spec.id}/${task}`;
    const known = sets.get(key) ?? blankSet(client, shown, task);
    sets.set(key, known);
    return known;
  };
  const addClient = async (
    strategy: string,
    client: ClientContext,
    params: ParamVector,
    signal: AbortSignal | undefined,
  ): Promise<void> => {
    const { scenes: shown } = client;
    if (shown === undefined) return;
    const rows = shownRows(shown);
    const session = sessionOptionsOf(scenario);
    const job = { kind: "predict", model: client.model, session, examples: client.testKey, params, rows } as const;
    const { result } = await pool.run(job, { what: `pictures of ${strategy}, client ${client.spec.id}`, signal });
    for (const task of client.spec.tasks) {
      const { scenes, height, width } = setOf(client, shown, task);
      const output = result.outputs[task];
      const planes = outputPlanes(sceneTask(task).label) * height * width;
      scenes.forEach((page, i) => {
        if (output === undefined) return;
        const one = output.subarray(i * planes, (i + 1) * planes);
        page.predictions[strategy] = renderPrediction(sceneTask(task), one, height, width);
      });
    }
  };
  const allSets = (): readonly OpenSet[] =>
    scenario.clients.flatMap((client) => client.tasks.flatMap((task) => sets.get(`${client.id}/${task}`) ?? []));
  return {
    async add(strategy, context, params, signal) {
      const work = [...params].flatMap(([id, vector]) => {
        const client = context.clients.get(id);
        return client === undefined ? [] : [addClient(strategy, client, vector, signal)];
      });
      await settleAll(work);
    },
    restore(strategy, kept) {
      for (const set of kept) {
        const key = `${set.client}/${set.task}`;
        const open = sets.get(key) ?? {
          ...set,
          scenes: set.scenes.map(({ input, truth }) => ({ input, truth, predictions: {} })),
        };
        sets.set(key, open);
        open.scenes.forEach((page, i) => {
          const prediction = set.scenes[i]?.predictions[strategy];
          if (prediction !== undefined) page.predictions[strategy] = prediction;
        });
      }
    },
    sets: allSets,
    setsOf: (strategy) =>
      allSets().map((set) => ({
        ...set,
        scenes: set.scenes.map(({ input, truth, predictions: { [strategy]: own } }) => ({
          input,
          truth,
          predictions: own === undefined ? {} : { [strategy]: own },
        })),
      })),
  };
}

function shownRows(test: DenseExamples): readonly number[] {
  return Array.from({ length: Math.min(SHOWN_SCENE_COUNT, test.count) }, (_, row) => row);
}

function blankSet({ spec }: ClientContext, test: DenseExamples, task: TaskId): OpenSet {
  const { height, width } = test;
  const scenes = shownRows(test).map((row) => ({
    input: renderImage(test, row),
    truth: renderLabel(sceneTask(task), labelRows(test, task, Int32Array.of(row)), height, width),
    predictions: {},
  }));
  return { client: spec.id, task, height, width, scenes };
}
