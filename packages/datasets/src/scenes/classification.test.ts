import { createRng } from "@kumiai/params";
import { expect, test } from "vitest";
import { realItems } from "../testing/real-items.js";
import { composeClassification } from "./classification.js";

test("scenes of both domains take turns and all twenty classes occur", async () => {
  const items = await realItems();
  const examples = composeClassification({ items, rng: createRng(2), count: 300 });
  expect(examples.classCount).toBe(20);
  expect(examples.images).toHaveLength(300 * 3 * 64 * 64);
  expect(examples.images.buffer).toBeInstanceOf(SharedArrayBuffer);
  examples.classes.forEach((label, i) => {
    expect(Math.floor(label / 10)).toBe(i % 2);
  });
  expect(new Set(examples.classes).size).toBe(20);
});

test("an example does not depend on how many are made", async () => {
  const items = await realItems();
  const few = composeClassification({ items, rng: createRng(2), count: 2 });
  const many = composeClassification({ items, rng: createRng(2), count: 6 });
  expect(many.images.slice(0, few.images.length)).toEqual(Float32Array.from(few.images));
  expect(many.classes.slice(0, 2)).toEqual(Int32Array.from(few.classes));
});
