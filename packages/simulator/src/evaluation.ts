/** Metrics of scene tasks: which one goes with which labels, statistics over batches, scores of constants. */
import { constantScore, isBetter, type Metric, type MetricStat, metricFor } from "@kumiai/algorithms";
import { type DenseExamples, sceneTask } from "@kumiai/datasets";
import type { TaskId } from "@kumiai/params";
import { labelRows } from "./batches.js";
import type { ScenarioTask } from "./result.js";

export function metricOf(task: TaskId): Metric {
  return metricFor(sceneTask(task).label);
}

/** How the result describes a task. */
export function describeTask(task: TaskId): ScenarioTask {
  const { name, unit, higherIsBetter } = metricOf(task);
  return { id: task, metric: name, unit, higherIsBetter };
}

/** Whether `value` is better than what the best constant scores. Equal is not better, and neither is NaN. */
export function isAboveConstant(task: TaskId, value: number, constant: number): boolean {
  return isBetter(metricOf(task), value, constant);
}

/** Per task: what the best constant prediction, fitted on `train`, scores on `test`. */
export function constantMetrics(
  tasks: readonly TaskId[],
  train: DenseExamples,
  test: DenseExamples,
): Readonly<Record<TaskId, number>> {
  return Object.fromEntries(
    tasks.map((task) => {
      const { label } = sceneTask(task);
      const pixels = test.height * test.width;
      return [task, constantScore(label, labelsOf(train, task), labelsOf(test, task), pixels)];
    }),
  );
}

/** Metrics of several tasks, filled batch by batch. */
export class TaskMetrics {
  readonly #stats: ReadonlyMap<TaskId, { readonly metric: Metric; readonly stat: MetricStat }>;

  constructor(tasks: readonly TaskId[]) {
    this.#stats = new Map(
      tasks.map((task) => {
        const metric = metricOf(task);
        return [task, { metric, stat: metric.empty() }];
      }),
    );
  }

  /** `output`: raw model output [rows, planes, height, width] for these rows of `examples`. */
  add(task: TaskId, output: Float32Array, examples: DenseExamples, rows: Int32Array): void {
    const entry = this.#stats.get(task);
    if (entry === undefined) return;
    const labels = labelRows(examples, task, rows);
    entry.metric.updateInto(entry.stat, { output, labels, pixels: examples.height * examples.width });
  }

  results(): Readonly<Record<TaskId, number>> {
    return Object.fromEntries([...this.#stats].map(([task, { metric, stat }]) => [task, metric.result(stat)]));
  }
}

function labelsOf(examples: DenseExamples, task: TaskId): Uint8Array | Float32Array {
  const labels = examples.labels.get(task);
  if (labels === undefined) throw new Error(`the scenes have no labels for ${task}`);
  return labels;
}
