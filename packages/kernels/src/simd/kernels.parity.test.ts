import { createRng } from "@kumiai/params";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type KernelBackend, type KernelBlock, type Kernels, type Operand, packedLength } from "../backend.js";
import { referenceBackend } from "../reference/kernels.js";
import { exactProduct, exactSum } from "../testing/exact.js";
import { firstDifference, hasGuards, put, put16, put64, putWritable, RAGGED, room } from "../testing/vectors.js";
import { simdBackend } from "./kernels.js";

/** Σ of rounding errors: every addition of f64 errs by at most this part of what was added up so far. */
const ROUNDING = 2 ** -53;

const lengths = fc.oneof(fc.constantFrom(...RAGGED), fc.integer({ min: 0, max: 3000 }));

interface Input {
  readonly length: number;
  readonly rowCount: number;
  readonly extraCount: number;
  readonly outCount: number;
  /** "rows": each row has a magnitude; "elements": each element; "odd": also zeros of both signs, tiny numbers. */
  readonly scales: "rows" | "elements" | "odd";
  readonly seed: number;
}

const inputs: fc.Arbitrary<Input> = fc.record({
  length: lengths,
  rowCount: fc.integer({ min: 1, max: 13 }),
  extraCount: fc.integer({ min: 0, max: 3 }),
  outCount: fc.integer({ min: 1, max: 9 }),
  scales: fc.constantFrom("rows", "elements", "odd"),
  seed: fc.nat(),
});

/** Vectors of magnitudes from 1e-30 to 1e30. */
function vectorsOf({ length, scales, seed }: Input, name: string, count: number): Float32Array[] {
  const rng = createRng(seed).split(name);
  const magnitude = (): number => 10 ** (60 * rng.uniform() - 30);
  const oddities = [0, -0, 2 ** -149, -(2 ** -130), 1, 2 ** 127];
  return Array.from({ length: count }, () => {
    const scale = magnitude();
    return Float32Array.from({ length }, () => {
      if (scales === "rows") return scale * rng.normal();
      if (scales === "elements" || rng.uniform() < 0.5) return magnitude() * rng.normal();
      return oddities[rng.int(oddities.length)] as number;
    });
  });
}

function factorsOf({ rowCount, outCount, seed }: Input): Float64Array {
  const rng = createRng(seed).split("factors");
  return Float64Array.from({ length: rowCount * outCount }, () => (rng.uniform() < 0.1 ? 0 : rng.normal()));
}

/** What `use` returns on each backend; all vectors must be the same bits, and what stands around them untouched. */
function onBoth(
  use: (kernels: Kernels) => readonly (Float32Array | Float64Array | Uint16Array | number)[],
): (readonly (Float32Array | Float64Array | Uint16Array | number)[])[] {
  const results = [referenceBackend, simdBackend].map((backend: KernelBackend) => use(backend.open(1 << 22)));
  const [expected = [], received = []] = results;
  expect(received).toHaveLength(expected.length);
  expected.forEach((value, i) => {
    const other = received[i];
    if (typeof value === "number" || typeof other === "number" || other === undefined) expect(other).toBe(value);
    else {
      expect([i, firstDifference(other, value)]).toEqual([i, undefined]);
      expect([value, other].every(hasGuards)).toBe(true);
    }
  });
  return results;
}

test("addGramInto and addNormsInto equal the reference bit for bit, and the exact sum within P·2⁻⁵³ of Σ|x_i·y_i|", () => {
  fc.assert(
    fc.property(inputs, (input) => {
      const { rowCount, extraCount, length } = input;
      const rows = vectorsOf(input, "rows", rowCount);
      const extras = vectorsOf(input, "extras", extraCount);
      const [[gram, cross]] = onBoth((kernels) => {
        const near = [rows, extras].map((vectors) => vectors.map((values) => put(kernels, values)));
        const sizes = [packedLength(rowCount), rowCount * extraCount, rowCount];
        const [gram, cross, norms] = sizes.map((size) => put64(kernels, new Float64Array(size)));
        if (gram === undefined || cross === undefined || norms === undefined) throw new Error("three sizes");
        kernels.addGramInto(gram, near[0] ?? [], cross, near[1]);
        kernels.addNormsInto(norms, near[0] ?? []);
        return [gram, cross, norms, ...near.flat()];
      }) as [[Float64Array, Float64Array]];

      const expectNear = (received: number | undefined, x: Float32Array, y: Float32Array): void => {
        const { sum, magnitude } = exactProduct(x, y);
        expect(Math.abs((received ?? Number.NaN) - sum)).toBeLessThanOrEqual(length * ROUNDING * magnitude);
      };
      let at = 0;
      rows.forEach((x, i) => {
        for (const y of rows.slice(i)) expectNear(gram[at++], x, y);
        extras.forEach((extra, d) => {
          expectNear(cross[d * rowCount + i], extra, x);
        });
      });
    }),
    { numRuns: 40 },
  );
});

test("sums that are already there are added to with the same bits", () => {
  fc.assert(
    fc.property(inputs, (input) => {
      const { rowCount, extraCount, seed } = input;
      onBoth((kernels) => {
        const rng = createRng(seed).split("sums");
        const [gram, cross, norms] = [packedLength(rowCount), rowCount * extraCount, rowCount].map((size) =>
          put64(
            kernels,
            Float64Array.from({ length: size }, () => rng.normal() * 10 ** rng.int(40)),
          ),
        ) as [Float64Array, Float64Array, Float64Array];
        const rows = vectorsOf(input, "rows", rowCount).map((values) => put(kernels, values));
        const extras = vectorsOf(input, "extras", extraCount).map((values) => put(kernels, values));
        kernels.addGramInto(gram, rows, cross, extras);
        kernels.addNormsInto(norms, rows);
        return [gram, cross, norms];
      });
    }),
    { numRuns: 40 },
  );
});

test("weightedSumsInto equals the reference bit for bit, and the exact sum within half an f32 ulp and R·2⁻⁵² of Σ|f·x|", () => {
  fc.assert(
    fc.property(inputs, (input) => {
      const { rowCount, outCount, length } = input;
      const rows = vectorsOf(input, "rows", rowCount);
      const factors = factorsOf(input).map((factor) => Math.round(factor * 2 ** 40) / 2 ** 40);
      const [outs = []] = onBoth((kernels) => {
        const near = rows.map((values) => put(kernels, values));
        const outs = Array.from({ length: outCount }, () => room(kernels, length));
        kernels.weightedSumsInto(outs, factors, near);
        return [...outs, ...near];
      });
      for (let m = 0; m < outCount; m++) {
        const weights = [...factors.subarray(m * rowCount, (m + 1) * rowCount)];
        // The exact sum is slow: a few elements of each output, the last ones among them.
        for (let i = 0; i < length; i += i < length - 9 ? 97 : 1) {
          const values = rows.map((row) => row[i] as number);
          const { sum, magnitude } = exactSum(weights, values);
          const bound = rowCount * 2 ** -52 * magnitude + 2 ** -24 * Math.abs(sum) * (1 + 2 ** -20) + 2 ** -150;
          const received = (outs[m] as Float32Array)[i] as number;
          if (Number.isFinite(received)) expect(Math.abs(received - sum)).toBeLessThanOrEqual(bound);
          else expect(Math.abs(sum) + bound).toBeGreaterThanOrEqual(2 ** 128 - 2 ** 103);
        }
      }
    }),
    { numRuns: 40 },
  );
});

test("weightedSumsInto and addWeightedInto with any factors equal the reference bit for bit", () => {
  const factor = fc.oneof(fc.double(), fc.constantFrom(Infinity, -Infinity, Number.NaN, -0, 1e300, 5e-324));
  fc.assert(
    fc.property(inputs, fc.array(factor, { minLength: 13, maxLength: 13 }), (input, factors) => {
      const { rowCount, outCount, length } = input;
      const many = Float64Array.from({ length: rowCount * outCount }, (_, k) => factors[k % 13] as number);
      onBoth((kernels) => {
        const rows = vectorsOf(input, "rows", rowCount).map((values) => put(kernels, values));
        const outs = Array.from({ length: outCount }, () => room(kernels, length));
        kernels.weightedSumsInto(outs, many, rows);
        const sums = put64(kernels, new Float64Array(length));
        rows.forEach((row, r) => {
          kernels.addWeightedInto(sums, factors[r] as number, row);
        });
        const rounded = room(kernels, length);
        kernels.roundInto(rounded, sums);
        return [...outs, sums, rounded, ...rows];
      });
    }),
    { numRuns: 60 },
  );
});

/** Blocks that use rows and earlier results in random ways; `outs` are handed out in order. */
function randomBlocks(
  input: Input,
  outs: Float32Array[],
  scratch: (factors: Float64Array) => Float64Array,
): KernelBlock[] {
  const rng = createRng(input.seed).split("blocks");
  const left = [...outs];
  const blocks: KernelBlock[] = [];
  while (left.length > 0) {
    const made = outs.length - left.length;
    const operands = Array.from({ length: rng.int(6) }, (): Operand => {
      const row = rng.int(input.rowCount);
      const kinds: readonly Operand[] = [{ before: row }, { after: row }, { delta: row }];
      return made > 0 && rng.uniform() < 0.3 ? { result: rng.int(made) } : (kinds[rng.int(3)] as Operand);
    });
    if (operands.length > 0 && rng.uniform() < 0.3) {
      blocks.push({ operands, trim: rng.int(Math.ceil(operands.length / 2)), outs: left.splice(0, 1) });
      continue;
    }
    const own = left.splice(0, 1 + rng.int(6));
    const factors = Float64Array.from({ length: own.length * operands.length }, () => rng.normal());
    blocks.push({ operands, factors: rng.uniform() < 0.5 ? factors : scratch(factors), outs: own });
  }
  return blocks;
}

test("mixInto and addDeltaGramInto equal the reference bit for bit, and name the same result or row that is not finite", () => {
  const spoiled = fc.option(
    fc.record({ row: fc.nat(), at: fc.nat(), value: fc.constantFrom(Number.NaN, Infinity, 3e38) }),
  );
  fc.assert(
    fc.property(inputs, fc.integer({ min: 1, max: 9000 }), spoiled, spoiled, (given, length, ...spoilers) => {
      const input = { ...given, length, rowCount: 1 + (given.rowCount % 5) };
      const { rowCount, extraCount, outCount } = input;
      const [befores, afters] = ["before", "after"].map((name) => vectorsOf(input, name, rowCount)) as [
        Float32Array[],
        Float32Array[],
      ];
      for (const each of spoilers) {
        if (each !== null) (afters[each.row % rowCount] as Float32Array)[each.at % length] = each.value;
      }
      onBoth((kernels) => {
        const rows = befores.map((before, r) => ({
          before: put(kernels, before),
          after: put(kernels, afters[r] as Float32Array),
        }));
        const outs = Array.from({ length: outCount }, () => room(kernels, length));
        const blocks = randomBlocks(input, outs, (factors) => put64(kernels, factors));
        const badResult = kernels.mixInto(rows, blocks);

        const extras = vectorsOf(input, "extras", extraCount).map((values) => put(kernels, values));
        const gram = put64(kernels, new Float64Array(packedLength(rowCount)));
        const cross = put64(kernels, new Float64Array(rowCount * extraCount));
        const badRow = kernels.addDeltaGramInto(gram, rows, cross, extras);
        expect([...outs, gram, cross].every(hasGuards)).toBe(true);
        // After something that is not finite, what else was computed is worth nothing.
        return [badResult, badRow, ...(badResult < 0 ? outs : []), ...(badRow < 0 ? [gram, cross] : [])];
      });
    }),
    { numRuns: 60 },
  );
});

test("roundInto equals the reference bit for bit on f64 of any bits", () => {
  fc.assert(
    fc.property(lengths, fc.nat(), fc.boolean(), (length, seed, nearF32) => {
      const rng = createRng(seed);
      const words = new Uint32Array(2 * length).map(() => rng.int(2 ** 32));
      const any = new Float64Array(words.buffer);
      // Ties between two f32, and the f64 beside them.
      const ties = any.map(
        (_, i) => Math.fround(rng.normal()) * (1 + 2 ** -24) * (1 + (rng.int(3) - 1) * 2 ** -52) + i * 0,
      );
      onBoth((kernels) => {
        const out = room(kernels, length);
        const sums = put64(kernels, nearF32 ? ties : any);
        kernels.roundInto(out, sums);
        return [out, sums];
      });
    }),
  );
});

/** f32 of any bits: all exponents, subnormal numbers, zeros, infinities and NaN of any payload. */
function anyFloats(length: number, seed: number, finiteOnly: boolean): Float32Array {
  const rng = createRng(seed);
  const floats = new Float32Array(new Uint32Array(length).map(() => rng.int(2 ** 32)).buffer);
  return finiteOnly ? floats.map((value) => (Number.isFinite(value) ? value : 1)) : floats;
}

test("subtractInto, addScaledInto and findNonFinite equal the reference bit for bit on f32 of any bits", () => {
  const factor = fc.oneof(fc.double(), fc.constantFrom(1, -1, 0.5));
  fc.assert(
    fc.property(lengths, fc.nat(), fc.boolean(), factor, (length, seed, finiteOnly, a) => {
      const [after, before] = [seed, seed + 1].map((each) => anyFloats(length, each, finiteOnly));
      onBoth((kernels) => {
        const x = put(kernels, after ?? []);
        const [y, out] = [putWritable(kernels, before ?? []), room(kernels, length)];
        const places = [kernels.findNonFinite(x), kernels.findNonFinite(y), kernels.subtractInto(out, x, y)];
        kernels.addScaledInto(y, a, x);
        return [...places, x, y, out];
      });
    }),
    { numRuns: 200 },
  );
});

test("16-bit floats to and fro equal the reference on f32 of any bits and on any patterns (NaN as NaN)", () => {
  fc.assert(
    fc.property(lengths, fc.nat(), (length, seed) => {
      const rng = createRng(seed);
      const patterns = new Uint16Array(length).map(() => rng.int(65536));
      onBoth((kernels) => {
        const x = put(kernels, anyFloats(length, seed, false));
        const [half, brain, bits] = [patterns, patterns, patterns].map((values) => put16(kernels, values));
        const [fromHalf, fromBrain] = [room(kernels, length), room(kernels, length)];
        if (!half || !brain || !bits || !fromHalf || !fromBrain) throw new Error("five vectors");
        kernels.toHalfInto(half, x);
        kernels.toBrainInto(brain, x);
        kernels.fromHalfInto(fromHalf, bits);
        kernels.fromBrainInto(fromBrain, bits);
        return [half, brain, fromHalf, fromBrain, bits];
      });
    }),
  );
});

test("trimmed means equal the reference bit for bit, whatever the number of rows, numbers of all sizes, ties and zeros of both signs", () => {
  fc.assert(
    fc.property(inputs, fc.integer({ min: 1, max: 140 }), fc.nat(), (given, rowCount, some) => {
      const input = { ...given, rowCount, length: given.length % 700 };
      const trim = some % Math.ceil(rowCount / 2);
      onBoth((kernels) => {
        const rows = vectorsOf(input, "rows", rowCount).map((values) => ({ after: put(kernels, values) }));
        const out = room(kernels, input.length);
        const bad = kernels.mixInto(rows, [{ operands: rows.map((_, row) => ({ after: row })), trim, outs: [out] }]);
        return [bad, out, ...rows.map(({ after }) => after)];
      });
    }),
    { numRuns: 60 },
  );
});
