/** Metrics by name, for tasks that say in a scenario how they are scored. */
import { KumiaiError, nearestWord } from "@kumiai/params";
import { auroc } from "./auroc.js";
import { accuracy, macroF1 } from "./classification.js";
import { meanAbsoluteError, meanAngularError, phm08Score, rootMeanSquaredError } from "./continuous.js";
import { f1Ods } from "./f1-ods.js";
import { meanIou } from "./mean-iou.js";
import type { Metric, MetricLabel } from "./metric.js";

type LabelOf<Kind extends MetricLabel["kind"]> = Extract<MetricLabel, { readonly kind: Kind }>;

/** For each label kind the metrics that it can have, its own first. */
const METRICS = {
  classes: {
    miou: ({ classCount }: LabelOf<"classes">) => meanIou(classCount),
    "macro-f1": macroF1,
    accuracy,
    auroc,
  },
  mask: { "f1-ods": () => f1Ods(), "macro-f1": macroF1, accuracy, auroc },
  unitVector: { "mean-angular-error": () => meanAngularError() },
  scalar: {
    rmse: rootMeanSquaredError,
    mae: meanAbsoluteError,
    phm08: (label: LabelOf<"scalar">) => phm08Score("sum", label),
    "phm08-mean": (label: LabelOf<"scalar">) => phm08Score("mean", label),
  },
} as const satisfies { [Kind in MetricLabel["kind"]]: Record<string, (label: LabelOf<Kind>) => Metric> };

export type MetricName = {
  [Kind in keyof typeof METRICS]: keyof (typeof METRICS)[Kind] & string;
}[keyof typeof METRICS];

/** Names of the metrics that labels of this kind can have; the first is that of `metricFor`. */
export function metricNames(kind: MetricLabel["kind"]): readonly MetricName[] {
  return Object.keys(METRICS[kind]) as MetricName[];
}

/**
 * The metric called `name` for labels like `label`. Throws INVALID_CONFIG with the names that fit the labels and the nearest of them, for a
 * scale that is not above 0, and for AUROC of more than two classes.
 */
export function metricNamed(name: string, label: MetricLabel): Metric {
  const known: Readonly<Record<string, (label: never) => Metric>> = METRICS[label.kind];
  const create = Object.hasOwn(known, name) ? known[name] : undefined;
  if (create !== undefined) return create(label as never);
  const names = metricNames(label.kind);
  const nearest = nearestWord(name, names);
  throw new KumiaiError(
    "INVALID_CONFIG",
    `metric: expected one of ${names.join(", ")} for labels of the kind ${label.kind}, received ${JSON.stringify(name)}${nearest === undefined ? "" : `; did you mean ${nearest}?`}`,
    { received: name, ...(nearest === undefined ? {} : { nearest }) },
  );
}
