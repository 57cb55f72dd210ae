import { describe, expect, test } from "vitest";
import { placesOf, setAt } from "./overrides.js";

const ROOT = { training: { rounds: 2 }, clients: [{ id: "press-shop", tasks: ["a"] }, { id: "paint.line" }] };

describe("placesOf", () => {
  test("follows keys, indices, ids and every item", () => {
    expect(placesOf(ROOT, "training.rounds")).toEqual([["training", "rounds"]]);
    expect(placesOf(ROOT, "clients[1].trainCount")).toEqual([["clients", 1, "trainCount"]]);
    expect(placesOf(ROOT, "clients[paint.line].trainCount")).toEqual([["clients", 1, "trainCount"]]);
    expect(placesOf(ROOT, "clients[*].trainCount")).toEqual([
      ["clients", 0, "trainCount"],
      ["clients", 1, "trainCount"],
    ]);
    expect(placesOf(ROOT, "clients[0].tasks[0]")).toEqual([["clients", 0, "tasks", 0]]);
  });

  test("names maps that are not there yet, so that a section can be added", () => {
    expect(placesOf(ROOT, "traffic.upload.codec")).toEqual([["traffic", "upload", "codec"]]);
  });

  test.each([
    ["training..rounds", "a path like", "write it like"],
    ["[0].x", "a path like", "write it like"],
    ["__proto__.x", "a path like", "write it like"],
    ["training.rounds.x", 'a map at training.rounds, to set "x" in', "check the path"],
    ["training[*].x", "a list at training", "check the path"],
    ["clients[2].tasks", "*, a number below 2 or an id of clients", "name one that"],
    ["clients[pres-shop].tasks", "*, a number below 2 or an id of clients", 'did you mean "press-shop"?'],
  ])("refuses %s", (path, expected, advice) => {
    expect(placesOf(ROOT, path)).toMatchObject({
      expected: expect.stringContaining(expected),
      advice: expect.stringContaining(advice),
    });
  });
});

test("setAt makes maps on the way, and copies what it sets", () => {
  const root = structuredClone(ROOT);
  const value = [1];
  setAt(root, ["traffic", "upload"], value);
  value.push(2);
  expect(root).toEqual({ ...ROOT, traffic: { upload: [1] } });
});

test("setAt takes names of what every object inherits like any other", () => {
  const root = {};
  setAt(root, ["constructor", "x"], 1);
  expect(Object.keys(root)).toEqual(["constructor"]);
  expect(Object.hasOwn(Object, "x")).toBe(false);
});
