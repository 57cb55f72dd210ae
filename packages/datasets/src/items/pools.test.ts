import { beforeAll, expect, test } from "vitest";
import { realItems } from "../testing/real-items.js";
import type { SceneItems } from "./item-images.js";
import { itemPools } from "./pools.js";

let items: SceneItems;
beforeAll(async () => {
  items = await realItems();
});

test("the packages hold 70,000 garments and 10,000 digits of ten classes each", () => {
  expect(items.garments.count).toBe(70_000);
  expect(items.digits.count).toBe(10_000);
  for (const { classes } of Object.values(items)) expect(new Set(classes).size).toBe(10);
});

test.each(["garments", "digits"] as const)("%s: every item is in exactly one pool, under its own class", (domain) => {
  const seen = new Uint8Array(items[domain].count);
  for (const pool of Object.values(itemPools(items[domain]))) {
    pool.forEach((members, label) => {
      for (const item of members) {
        seen[item]++;
        if (items[domain].classes[item] !== label) throw new Error(`item ${item} stands under class ${label}`);
      }
    });
  }
  expect(seen.every((times) => times === 1)).toBe(true);
});

test("every class gives 30, 50 and 20 % of its items to pretrain, train and test, within one item", () => {
  const { pretrain, train, test: held } = itemPools(items.garments);
  for (let label = 0; label < 10; label++) {
    expect(pretrain[label].length).toBe(2100);
    expect(train[label].length).toBe(3500);
    expect(held[label].length).toBe(1400);
  }
});

test("the pools are the same every time", () => {
  expect(itemPools(items.digits)).toEqual(itemPools(items.digits));
});
