import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, expect, test, vi } from "vitest";

afterEach(() => {
  vi.restoreAllMocks();
});

/** The module as a new process has it. */
async function fresh(): Promise<typeof import("./select.js")> {
  vi.resetModules();
  return import("./select.js");
}

const NOTICE = /^kernels: this JavaScript engine has no WASM SIMD; .* the same results but several times slower$/;

test("with SIMD, the SIMD backend runs and nothing is said", async () => {
  const { selectBackend } = await fresh();
  const notice = vi.fn();
  expect(selectBackend(notice, true).name).toBe("wasm-simd");
  expect(selectBackend(notice).name).toBe("wasm-simd");
  expect(notice).not.toHaveBeenCalled();
});

test("without SIMD, the reference runs and says so exactly once", async () => {
  const { selectBackend } = await fresh();
  const notice = vi.fn();
  for (let i = 0; i < 3; i++) expect(selectBackend(notice, false).name).toBe("reference");
  expect(notice.mock.calls).toEqual([[expect.stringMatching(NOTICE)]]);
  expect(selectBackend(notice, true).name).toBe("wasm-simd");
  expect(notice).toHaveBeenCalledTimes(1);
});

test("without another place to say it, it is a warning on the console", async () => {
  const { selectBackend } = await fresh();
  const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  selectBackend(undefined, false);
  selectBackend(undefined, false);
  expect(warn.mock.calls).toEqual([[expect.stringMatching(NOTICE)]]);
});

test("a backend is found by its name, silently", async () => {
  const { backendNamed } = await fresh();
  expect(backendNamed("reference").name).toBe("reference");
  expect(backendNamed("wasm-simd").name).toBe("wasm-simd");
});

const PROGRAM = `
import(${JSON.stringify(new URL("../dist/index.js", import.meta.url).href)}).then(({ selectBackend }) => {
  const kernels = [selectBackend(), selectBackend()].map((backend) => backend.open(64))[1];
  const x = kernels.f32(3).fill(2);
  const sum = kernels.f64(1).fill(0);
  kernels.addNormsInto(sum, [x]);
  console.log(kernels.backend, sum[0]);
});`;

const withoutSimd: readonly (readonly string[])[] = [
  ["--jitless"],
  // V8 has WASM SIMD on x64 only where the processor has SSE4.1.
  ...(process.arch === "x64" ? [["--no-enable-sse4-1"]] : []),
];

test.each(withoutSimd)("node %s: the probe finds no SIMD, the kernels compute, one warning", async (flag) => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [flag, "--input-type=module", "-e", PROGRAM]);
  expect(stdout).toBe("reference 12\n");
  expect(stderr.split("\n").filter((line) => NOTICE.test(line))).toHaveLength(1);
});
