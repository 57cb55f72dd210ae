/** Metrics of tasks: which one goes with which labels, statistics over batches, scores of constants. */
import { constantScore, isBetter, type Metric, type MetricStat, metricFor } from "@kumiai/algorithms";
import type { TaskId } from "@kumiai/params";
import { type Examples, labelRows, labelsOf } from "./examples.js";
import type { TaskSpec } from "./model.js";
import type { ScenarioTask } from "./result.js";

export function metricOf({ label }: TaskSpec): Metric {
  return metricFor(label);
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
    tasks.map(({ id, label }) => [id, constantScore(label, labelsOf(train, id), labelsOf(test, id), test.points)]),
  );
}

/** Metrics of several tasks, filled batch by batch. */
export class TaskMetrics {
  readonly #stats: ReadonlyMap<TaskId, { readonly metric: Metric; readonly stat: MetricStat }>;

  constructor(tasks: readonly TaskSpec[]) {
    this.#stats = new Map(
      tasks.map((task) => {
        const metric = metricOf(task);
        return [task.id, { metric, stat: metric.empty() }];
      }),
    );
  }

  /** `output`: raw model output [rows, planes, points] for these rows of `examples`. */
  add(task: TaskId, output: Float32Array, examples: Examples, rows: Int32Array): void {
    const entry = this.#stats.get(task);
    if (entry === undefined) return;
    const labels = labelRows(examples, task, rows);
    entry.metric.updateInto(entry.stat, { output, labels, pixels: examples.points });
  }

  results(): Readonly<Record<TaskId, number>> {
    return Object.fromEntries([...this.#stats].map(([task, { metric, stat }]) => [task, metric.result(stat)]));
  }
}
