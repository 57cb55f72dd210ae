import { KumiaiError, nearestWord, parseTaskId, type TaskId } from "@kumiai/params";
import type { LabelKind, SceneDomain, SceneTask } from "./types.js";

const task = (id: string, label: LabelKind, summary: string): SceneTask => ({ id: parseTaskId(id), label, summary });

/** Every task that a scene has labels for, whatever its domain. */
export const SCENE_TASKS: readonly SceneTask[] = [
  task("semseg", { kind: "classes", classCount: 11 }, "what each pixel shows: background or one of ten item classes"),
  task("parts", { kind: "classes", classCount: 4 }, "background, upper, middle or lower third of an item"),
  task("edge", { kind: "mask" }, "where one item ends and another, or the background, begins"),
  task("saliency", { kind: "mask" }, "the visible pixels of the nearest item"),
  task("depth", { kind: "scalar" }, "distance from the viewer, centered and scaled; nearer is lower"),
  task("normals", { kind: "unitVector" }, "which way the surface faces: x right, y down, z to the viewer"),
];

/** The tasks that each domain's sites have in the scenarios. */
export const DOMAIN_TASKS: Readonly<Record<SceneDomain, readonly TaskId[]>> = {
  garments: ["semseg", "parts", "normals", "edge", "saliency"].map(parseTaskId),
  digits: ["semseg", "normals", "edge", "depth"].map(parseTaskId),
};

/** The task called `id`. Throws UNKNOWN_TASK with the list and the nearest name. */
export function sceneTask(id: string): SceneTask {
  const found = SCENE_TASKS.find((candidate) => candidate.id === id);
  if (found !== undefined) return found;
  const names = SCENE_TASKS.map((candidate) => candidate.id as string);
  const nearest = nearestWord(id, names);
  const guess = nearest === undefined ? "" : ` (did you mean ${nearest}?)`;
  throw new KumiaiError(
    "UNKNOWN_TASK",
    `task: expected one of ${names.join(", ")}; received ${JSON.stringify(id)}${guess}`,
    { received: id, ...(nearest === undefined ? {} : { nearest }) },
  );
}

/** Planes of a label array: 3 for vectors, else 1. */
export function labelPlanes(label: LabelKind): number {
  return label.kind === "unitVector" ? 3 : 1;
}
