import { createRng } from "@kumiai/params";
import type { SceneSplit } from "../types.js";
import { ITEM_CLASS_COUNT, type ItemImages } from "./item-images.js";

/** Part of every class's items that each split owns. Items of `pretrain` are used by no site. */
const POOL_SHARES: readonly (readonly [SceneSplit, number])[] = [
  ["pretrain", 0.3],
  ["train", 0.5],
  ["test", 0.2],
];

/** Item indices of one split, by class. */
export type ItemPool = readonly (readonly number[])[];

/**
 * Deals the items of one domain out to the splits: disjoint, every item in exactly one, the same shares of every
 * class, and the same for every run whatever its seed.
 */
export function itemPools(items: ItemImages): Readonly<Record<SceneSplit, ItemPool>> {
  const pools: Record<SceneSplit, number[][]> = { pretrain: [], train: [], test: [] };
  const rng = createRng("item-pools");
  for (let label = 0; label < ITEM_CLASS_COUNT; label++) {
    const members: number[] = [];
    items.classes.forEach((itemClass, item) => {
      if (itemClass === label) members.push(item);
    });
    const dealt = rng.split(label).shuffled(members);
    let first = 0;
    let share = 0;
    for (const [split, part] of POOL_SHARES) {
      share += part;
      const end = split === "test" ? dealt.length : Math.round(share * dealt.length);
      pools[split].push(dealt.slice(first, end));
      first = end;
    }
  }
  return pools;
}
