/** Metrics of tasks: which one goes with which labels, statistics over batches, scores of constants. */
import {
  constantScore,
  isBetter,
  type Metric,
  type MetricLabel,
  type MetricStat,
  metricFor,
  metricNamed,
} from "@kumiai/algorithms";
import type { TaskId } from "@kumiai/params";
import { type Examples, labelRows, labelsOf, maskRows } from "./examples.js";
import type { TaskSpec } from "./model.js";
import type { LeftOutReason, ScenarioTask } from "./result.js";

/** Why a metric has no value on a site's test data. */
export type UndefinedScore = Extract<LeftOutReason, "noTestLabels" | "oneClass">;

/** `examples`: whose labels are scored, for errors in real units. */
export function metricOf(task: TaskSpec, examples?: Pick<Examples, "scales">): Metric {
  const label = scaled(task, examples);
  return task.metric === undefined ? metricFor(label) : metricNamed(task.metric, label);
}

function scaled({ id, label }: TaskSpec, examples: Pick<Examples, "scales"> | undefined): MetricLabel {
  const scale = examples?.scales.get(id);
  return label.kind === "scalar" && scale !== undefined ? { ...label, scale } : label;
}

/** How the result describes a task. */
export function describeTask(task: TaskSpec): ScenarioTask {
  const { name, unit, higherIsBetter } = metricOf(task);
  return { id: task.id, metric: name, unit, higherIsBetter };
}

/** Whether `value` is better than what the best constant scores. Equal is not better, and neither is NaN. */
export function isAboveConstant(task: TaskSpec, value: number, constant: number): boolean {
  return isBetter(metricOf(task), value, constant);
}

/** Per task: what the best constant prediction, fitted on `train`, scores on `test`. */
export function constantMetrics(
  tasks: readonly TaskSpec[],
  train: Examples,
  test: Examples,
): Readonly<Record<TaskId, number>> {
  return Object.fromEntries(
    tasks.map((task) => {
      const { id, metric } = task;
      const [trainMask, testMask] = [train.masks.get(id), test.masks.get(id)];
      const score = constantScore(scaled(task, test), labelsOf(train, id), labelsOf(test, id), test.points, {
        ...(metric === undefined ? {} : { metric }),
        ...(trainMask === undefined ? {} : { trainMask }),
        ...(testMask === undefined ? {} : { testMask }),
      });
      return [id, score];
    }),
  );
}

/**
 * Tasks whose metric has no value on `test`, whatever is predicted, with the reason; most often there is none. `constants`: their
 * `constantMetrics`.
 */
export function undefinedScores(
  tasks: readonly TaskSpec[],
  test: Pick<Examples, "labels" | "masks">,
  constants: Readonly<Record<string, number>>,
): Readonly<Record<string, UndefinedScore>> {
  const unscored = tasks.filter(({ id }) => Number.isNaN(constants[id]));
  return Object.fromEntries(
    unscored.map(({ id }) => {
      const mask = test.masks.get(id);
      const isLabeled = mask === undefined ? labelsOf(test, id).length > 0 : mask.some((value) => value !== 0);
      return [id, isLabeled ? "oneClass" : "noTestLabels"] as const;
    }),
  );
}

/** Metrics of several tasks, filled batch by batch. */
export class TaskMetrics {
  readonly #examples: Examples;
  readonly #stats: ReadonlyMap<TaskId, { readonly metric: Metric; readonly stat: MetricStat }>;

  constructor(tasks: readonly TaskSpec[], examples: Examples) {
    this.#examples = examples;
    this.#stats = new Map(
      tasks.map((task) => {
        const metric = metricOf(task, examples);
        return [task.id, { metric, stat: metric.empty() }];
      }),
    );
  }

  /** `output`: raw model output [rows, planes, points] for these rows of the examples. */
  add(task: TaskId, output: Float32Array, rows: Int32Array): void {
    const examples = this.#examples;
    const entry = this.#stats.get(task);
    if (entry === undefined) return;
    const labels = labelRows(examples, task, rows);
    const mask = maskRows(examples, task, rows);
    const batch = { output, labels, pixels: examples.points };
    entry.metric.updateInto(entry.stat, mask === undefined ? batch : { ...batch, mask });
  }

  results(): Readonly<Record<TaskId, number>> {
    return Object.fromEntries([...this.#stats].map(([task, { metric, stat }]) => [task, metric.result(stat)]));
  }
}
