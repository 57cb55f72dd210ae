import fc from "fast-check";
import { expect, test } from "vitest";
import { parseTaskId } from "./ids.js";
import {
  assertSameGroup,
  createLayout,
  describeGroup,
  type ParamRole,
  type ParamSlotSpec,
  slotsOfRole,
  slotView,
} from "./layout.js";

const edge = parseTaskId("edge");
const depth = parseTaskId("depth");

function slot(name: string, shape: readonly number[], role: ParamRole): ParamSlotSpec {
  return { name, shape, layer: name.replace(/\.[^.]+$/, ""), role };
}

const SPECS: readonly ParamSlotSpec[] = [
  slot("encoder.stem.weight", [2, 3], { kind: "encoder" }),
  slot("encoder.stem.bias", [2], { kind: "encoder" }),
  slot("decoders.edge.fuse.0.weight", [4], { kind: "decoder", task: edge }),
  slot("decoders.depth.fuse.0.weight", [4], { kind: "decoder", task: depth }),
  slot("heads.edge.out.weight", [1, 4], { kind: "head", task: edge }),
  slot("stem.mix.weight", [2, 5], { kind: "stem" }),
  slot("encoder.norm.mean", [2], { kind: "buffer" }),
];

test("slots lie end to end in the given order", () => {
  const layout = createLayout(SPECS);
  expect(layout.slots.map(({ offset, size }) => [offset, size])).toEqual([
    [0, 6],
    [6, 2],
    [8, 4],
    [12, 4],
    [16, 4],
    [20, 10],
    [30, 2],
  ]);
  expect(layout.size).toBe(32);
});

test("keys within a group are equal across tasks; buffers keep their whole name", () => {
  const layout = createLayout(SPECS);
  expect(layout.slots.map(({ key }) => key)).toEqual([
    "stem.weight",
    "stem.bias",
    "fuse.0.weight",
    "fuse.0.weight",
    "out.weight",
    "mix.weight",
    "encoder.norm.mean",
  ]);
  expect(layout.slots[2]?.layerKey).toBe("fuse.0");
});

test("writing slots one by one and reading them back is the identity, and fills the vector", () => {
  const shape = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 3 });
  fc.assert(
    fc.property(fc.array(shape, { minLength: 1, maxLength: 6 }), (shapes) => {
      const layout = createLayout(shapes.map((extents, i) => slot(`encoder.${i}.w`, extents, { kind: "encoder" })));
      const params = new Float32Array(layout.size).fill(-1);
      layout.slots.forEach((one, i) => {
        slotView(params, one).fill(i);
      });
      layout.slots.forEach((one, i) => {
        expect(slotView(params, one)).toHaveLength(one.size);
        expect(slotView(params, one).every((value) => value === i)).toBe(true);
      });
      expect(params.includes(-1)).toBe(false);
    }),
  );
});

test("equal specs have equal hashes; any other name, shape, layer, role, task or order has another", () => {
  const hash = (specs: readonly ParamSlotSpec[]): string => createLayout(specs).hash;
  const changed = (index: number, change: Partial<ParamSlotSpec>): string =>
    hash(SPECS.map((spec, i) => (i === index ? { ...spec, ...change } : spec)));
  const whole = hash(SPECS);
  expect(hash([...SPECS])).toBe(whole);
  const others = [
    changed(0, { name: "encoder.stem.w" }),
    changed(0, { shape: [3, 2] }),
    changed(0, { layer: "encoder" }),
    changed(0, { role: { kind: "buffer" } }),
    changed(4, { role: { kind: "head", task: depth } }),
    hash([...SPECS].reverse()),
    hash(SPECS.slice(1)),
  ];
  expect(new Set([whole, ...others]).size).toBe(1 + others.length);
});

test("a layout is found by role, and by task for decoders and heads", () => {
  const layout = createLayout(SPECS);
  expect(slotsOfRole(layout, "encoder")).toHaveLength(2);
  expect(slotsOfRole(layout, "decoder")).toHaveLength(2);
  expect(slotsOfRole(layout, "decoder", depth).map(({ name }) => name)).toEqual(["decoders.depth.fuse.0.weight"]);
  expect(slotsOfRole(layout, "head", depth)).toEqual([]);
  expect(slotsOfRole(layout, "stem").map(({ key, layerKey }) => [key, layerKey])).toEqual([["mix.weight", "mix"]]);
  expect(slotsOfRole(layout, "buffer")).toHaveLength(1);
});

test("a repeated name and a bad extent are MODEL_INVALID, naming the slot", () => {
  const one = slot("encoder.a.w", [1], { kind: "encoder" });
  expect(() => createLayout([one, one])).toThrow(expect.objectContaining({ code: "MODEL_INVALID" }));
  for (const shape of [[0], [-1], [1.5], [Number.NaN]]) {
    expect(() => createLayout([{ ...one, shape }])).toThrow(
      expect.objectContaining({ code: "MODEL_INVALID", message: expect.stringContaining("slot encoder.a.w") }),
    );
  }
});

test("an unknown role is MODEL_INVALID, naming the roles that there are", () => {
  for (const role of [{ kind: "backbone" }, undefined]) {
    const slot = { name: "a", layer: "a", shape: [1], role } as unknown as Parameters<typeof createLayout>[0][number];
    expect(() => createLayout([slot])).toThrow(expect.objectContaining({ code: "MODEL_INVALID" }));
    expect(() => createLayout([slot])).toThrow(/encoder, decoder, head, stem, buffer/);
  }
});

test("groups of equal keys and shapes match whatever the task; the first difference is named on both sides", () => {
  const layout = createLayout(SPECS);
  const [edgeSlots, depthSlots] = [slotsOfRole(layout, "decoder", edge), slotsOfRole(layout, "decoder", depth)];
  expect(() => assertSameGroup(edgeSlots, depthSlots, "here")).not.toThrow();
  expect(describeGroup(edgeSlots)).toEqual(["fuse.0.weight [4]"]);
  expect(() => assertSameGroup(edgeSlots, [], "client b against client a")).toThrow(
    expect.objectContaining({
      code: "LAYOUT_MISMATCH",
      message:
        "client b against client a: slot 0: expected fuse.0.weight [4], received no slot; sites that share a group need the same layers in it",
      details: { slot: 0, expected: "fuse.0.weight [4]", received: "" },
    }),
  );
});
