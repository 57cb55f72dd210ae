import { KumiaiError } from "@kumiai/params";
import { expect, test } from "vitest";
import { DOMAIN_TASKS, labelPlanes, sceneTask } from "./tasks.js";

test("the nine tasks of the two domains are known", () => {
  expect(DOMAIN_TASKS.garments).toEqual(["semseg", "parts", "normals", "edge", "saliency"]);
  expect(DOMAIN_TASKS.digits).toEqual(["semseg", "normals", "edge", "depth"]);
  for (const id of [...DOMAIN_TASKS.garments, ...DOMAIN_TASKS.digits]) expect(sceneTask(id).id).toBe(id);
});

test("semseg has 11 classes, parts 4, normals three planes", () => {
  expect(sceneTask("semseg").label).toEqual({ kind: "classes", classCount: 11 });
  expect(sceneTask("parts").label).toEqual({ kind: "classes", classCount: 4 });
  expect(labelPlanes(sceneTask("normals").label)).toBe(3);
  expect(labelPlanes(sceneTask("depth").label)).toBe(1);
});

test.each([
  ["semsg", "semseg"],
  ["Normal", "normals"],
  ["edges", "edge"],
  ["salency", "saliency"],
])("an unknown task %s is refused with the list and the nearest name %s", (typo, nearest) => {
  try {
    sceneTask(typo);
  } catch (error) {
    expect(error).toBeInstanceOf(KumiaiError);
    const { code, message } = error as KumiaiError;
    expect(code).toBe("UNKNOWN_TASK");
    expect(message).toContain("semseg, parts, edge, saliency, depth, normals");
    expect(message).toContain(`did you mean ${nearest}?`);
    return;
  }
  throw new Error("expected an error");
});

test("a word that resembles none gets no guess", () => {
  expect(() => sceneTask("optical-flow-estimation")).toThrow(/received "optical-flow-estimation"$/);
});
