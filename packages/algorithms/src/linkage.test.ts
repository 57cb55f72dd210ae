import { createRng } from "@kumiai/params";
import fc from "fast-check";
import { expect, test } from "vitest";
import { linkByAverage } from "./linkage.js";

const SIMILARITY = Float64Array.of(
  ...[1, 0.9, 0.1, 0],
  ...[0.9, 1, 0.5, 0.2],
  ...[0.1, 0.5, 1, 0.4],
  ...[0, 0.2, 0.4, 1],
);

test("by hand: 0 and 1 join at 0.9; 2 is 0.3 from them on average, so it joins 3 at 0.4; all at 0.2", () => {
  expect(linkByAverage(SIMILARITY, 4, 4)).toEqual([[0], [1], [2], [3]]);
  expect(linkByAverage(SIMILARITY, 4, 3)).toEqual([[0, 1], [2], [3]]);
  expect(linkByAverage(SIMILARITY, 4, 2)).toEqual([
    [0, 1],
    [2, 3],
  ]);
  expect(linkByAverage(SIMILARITY, 4, 1)).toEqual([[0, 1, 2, 3]]);
});

test("ties are joined in order; no members give no groups; more groups than members leave all alone", () => {
  expect(linkByAverage(new Float64Array(9).fill(1), 3, 2)).toEqual([[0, 1], [2]]);
  expect(linkByAverage(new Float64Array(0), 0, 2)).toEqual([]);
  expect(linkByAverage(Float64Array.of(1), 1, 5)).toEqual([[0]]);
});

test("the updated averages are the averages over all pairs: the same groups as by definition", () => {
  fc.assert(
    fc.property(
      fc.nat(1000),
      fc.integer({ min: 2, max: 9 }),
      fc.integer({ min: 1, max: 4 }),
      (seed, count, groupCount) => {
        const rng = createRng(seed);
        const similarity = new Float64Array(count * count);
        for (let i = 0; i < count; i++) {
          for (let j = 0; j <= i; j++) {
            const value = rng.uniform();
            similarity[i * count + j] = value;
            similarity[j * count + i] = value;
          }
        }
        let groups: (readonly number[])[] = Array.from({ length: count }, (_, i) => [i]);
        const between = (a: readonly number[], b: readonly number[]): number =>
          a.reduce((sum, i) => sum + b.reduce((inner, j) => inner + (similarity[i * count + j] ?? 0), 0), 0) /
          (a.length * b.length);
        while (groups.length > groupCount) {
          const pairs = groups.flatMap((a, at) => groups.slice(at + 1).map((b) => ({ a, b, value: between(a, b) })));
          const best = pairs.reduce((left, right) => (right.value > left.value ? right : left));
          groups = groups.flatMap((group) =>
            group === best.a ? [[...best.a, ...best.b].sort((i, j) => i - j)] : group === best.b ? [] : [group],
          );
        }
        expect(linkByAverage(similarity, count, groupCount)).toEqual(groups);
      },
    ),
  );
});
