import { parseTaskId, slotsOfRole, type TensorInfo } from "@kumiai/params";
import { describe, expect, test } from "vitest";
import { DEFAULT_ROLES, layoutOf, type RolePatterns } from "./roles.js";

function tensors(...names: readonly string[]): readonly TensorInfo[] {
  return names.map((name, i) => ({ name, dtype: "F32", shape: [2, 3], size: 6, position: i * 24 }));
}

function layout(names: readonly string[], roles: Partial<RolePatterns> = {}, tasks = ["semseg", "depth"]) {
  const about = { file: "base/a.safetensors", tasks: tasks.map(parseTaskId) };
  return layoutOf(tensors(...names), { ...DEFAULT_ROLES, ...roles }, about);
}

/** `file's name → role:key` of each tensor. */
function told(...args: Parameters<typeof layout>): Readonly<Record<string, string>> {
  const { layout: own, tensorOf } = layout(...args);
  return Object.fromEntries(
    own.slots.map(({ name, role, key }) => [
      tensorOf(name),
      `${role.kind}${"task" in role ? `(${role.task})` : ""}${role.kind === "buffer" ? "" : ` ${key}`}`,
    ]),
  );
}

test("by default backbone.* and encoder.* are the encoder, decoders.<task>.* and heads.<task>.* theirs, stem.* and all else is private", () => {
  expect(
    told(["backbone.conv.weight", "decoders.depth.up.0.bias", "heads.semseg.weight", "stem.a", "loss_scale"]),
  ).toEqual({
    "backbone.conv.weight": "encoder conv.weight",
    "decoders.depth.up.0.bias": "decoder(depth) up.0.bias",
    "heads.semseg.weight": "head(semseg) weight",
    "stem.a": "stem a",
    loss_scale: "buffer",
  });
});

test("the same tensor under other names has one key: backbone. or encoder., this task's decoder or that one's", () => {
  const keys = (kind: "encoder" | "decoder", ...names: readonly string[]) =>
    names.map((name) => slotsOfRole(layout([name]).layout, kind)[0]?.key);
  expect(keys("encoder", "backbone.a.weight", "encoder.a.weight")).toEqual(["a.weight", "a.weight"]);
  expect(keys("decoder", "decoders.depth.a.weight", "decoders.semseg.a.weight")).toEqual(["a.weight", "a.weight"]);
});

test("a weight and its bias share a layer", () => {
  const { slots } = layout(["decoders.depth.up.0.weight", "decoders.depth.up.0.bias", "backbone.scale"]).layout;
  expect(slots.map(({ layerKey }) => layerKey)).toEqual(["up.0", "up.0", "encoder"]);
});

test("running statistics are private wherever they stand, and empty tensors no slots at all", () => {
  expect(told(["backbone.bn.running_var", "decoders.depth.bn.num_batches_tracked", "backbone.bn.weight"])).toEqual({
    "backbone.bn.running_var": "buffer",
    "decoders.depth.bn.num_batches_tracked": "buffer",
    "backbone.bn.weight": "encoder bn.weight",
  });
  const empty: TensorInfo = { name: "backbone.none", dtype: "F32", shape: [0, 3], size: 0, position: 0 };
  const about = { file: "f", tasks: [] };
  expect(layoutOf([empty, ...tensors("backbone.a")], DEFAULT_ROLES, about).layout.slots).toHaveLength(1);
});

describe("patterns of one's own", () => {
  test("the most private part that fits wins, whatever the order", () => {
    const roles = { encoder: ["*"], stem: ["stem.own.*"], decoder: ["model.<task>.*"], head: ["model.<task>.out.*"] };
    expect(told(["stem.weight", "stem.own.weight", "model.depth.up.weight", "model.depth.out.weight"], roles)).toEqual({
      "stem.weight": "encoder stem.weight",
      "stem.own.weight": "stem weight",
      "model.depth.up.weight": "decoder(depth) up.weight",
      "model.depth.out.weight": "head(depth) weight",
    });
  });

  test.each([
    ["net.<task>.dec.*", "net.depth.dec.up.weight", "up.weight"],
    ["<task>_decoder.*", "depth_decoder.up.weight", "up.weight"],
    ["*.<task>_decoder.*", "net.depth_decoder.up.weight", "net.<task>_decoder.up.weight"],
    ["net.layer*.<task>.weight", "net.layer2.depth.weight", "layer2.<task>.weight"],
    ["net.<task>", "net.depth", "<task>"],
  ])("%s makes of %s the decoder's %s", (pattern, name, key) => {
    expect(told([name], { decoder: [pattern] })).toEqual({ [name]: `decoder(depth) ${key}` });
  });

  test("all but `*` and <task> means itself", () => {
    expect(told(["a+b.(w)", "aab.(w)", "a+b_(w)"], { encoder: ["a+b.(*)"] })).toEqual({
      "a+b.(w)": "encoder (w)",
      "aab.(w)": "buffer",
      "a+b_(w)": "buffer",
    });
  });

  test("a task with dots in its name is found where it is the client's", () => {
    expect(told(["decoders.v1.2.up"], {}, ["v1", "v1.2"])).toEqual({ "decoders.v1.2.up": "decoder(v1.2) up" });
  });
});

describe("refuses, with the file and the tensor", () => {
  test("a decoder of a task that the client does not have", () => {
    expect(() => layout(["decoders.normals.up.weight"])).toThrow(
      /base\/a\.safetensors: tensor "decoders\.normals\.up\.weight": expected a task of the client \(semseg, depth\), found "normals"/,
    );
  });

  test("two tensors that are one in the group", () => {
    expect(() => layout(["backbone.a", "encoder.a"])).toThrow(/tensor "encoder\.a".*found that of "backbone\.a"/);
  });
});

test("slots stand in one order, whatever that of the file", () => {
  const names = ["backbone.b", "decoders.depth.a", "backbone.a", "x", "heads.depth.a", "decoders.semseg.a"];
  expect(layout(names).layout.hash).toBe(layout(names.toReversed()).layout.hash);
});
