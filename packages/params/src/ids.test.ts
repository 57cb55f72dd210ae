import fc from "fast-check";
import { expect, test } from "vitest";
import { ERROR_CODES, KumiaiError, unreachable } from "./errors.js";
import { parseClientId, parseTaskId } from "./ids.js";
import { nearestWord } from "./nearest-word.js";

test.each(["a", "garments-edge", "Line_2.b", "0", "x".repeat(63)])("%s is an id", (raw) => {
  expect(parseClientId(raw)).toBe(raw);
  expect(parseTaskId(raw)).toBe(raw);
});

test.each(["", "-a", ".a", "a b", "a/b", "ä", "a\n", "x".repeat(64), 7, null, undefined, {}])(
  "%j is INVALID_ID, and the message shows it",
  (raw) => {
    expect(() => parseClientId(raw)).toThrow(
      expect.objectContaining({
        code: "INVALID_ID",
        message: expect.stringContaining(`received ${JSON.stringify(raw)}`),
        details: { kind: "client id" },
      }),
    );
    expect(() => parseTaskId(raw)).toThrow(expect.objectContaining({ details: { kind: "task id" } }));
  },
);

test("an id never contains what separates ids in keys and paths", () => {
  fc.assert(
    fc.property(fc.string(), (raw) => {
      let id: string;
      try {
        id = parseClientId(raw);
      } catch (error) {
        expect(error).toMatchObject({ code: "INVALID_ID" });
        return;
      }
      expect(id).toMatch(/^[^/\\\s:]+$/);
    }),
  );
});

test("exit codes are small and never 0 or 1, which mean success and a fault of ours", () => {
  for (const { exitCode } of Object.values(ERROR_CODES)) {
    expect(exitCode).toBeGreaterThan(1);
    expect(exitCode).toBeLessThan(256);
  }
});

test("an error carries its code, its details and its cause", () => {
  const cause = new Error("why");
  const error = new KumiaiError("WRITE_FAILED", "what", { path: "p" }, cause);
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({
    name: "KumiaiError",
    code: "WRITE_FAILED",
    message: "what",
    details: { path: "p" },
    cause,
  });
  expect("cause" in new KumiaiError("WRITE_FAILED", "what")).toBe(false);
});

test("a case that the compiler was promised away is named at run time", () => {
  expect(() => unreachable({ phase: "x" } as never)).toThrow('unreachable case: {"phase":"x"}');
});

test("the nearest word is within two edits or a third of its length, whatever the case; else there is none", () => {
  const known = ["local", "fedavg", "fedprox", "fedhca2"];
  expect(nearestWord("fedhca3", known)).toBe("fedhca2");
  expect(nearestWord("FedAvg", known)).toBe("fedavg");
  expect(nearestWord("fedporx", known)).toBe("fedprox");
  expect(nearestWord("loca", known)).toBe("local");
  expect(nearestWord("something", known)).toBeUndefined();
  expect(nearestWord("x", [])).toBeUndefined();
});
