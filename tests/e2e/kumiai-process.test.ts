import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { BIN, COMPARISON_FILES, ended, folderPerTest, kumiai, start, tinyScenario } from "./program.js";

const SCENARIO = tinyScenario(40);
const dir = folderPerTest((path) => writeFile(join(path, "tiny.yaml"), SCENARIO));

test("SIGINT ends the process with 130 and keeps the runs that had finished", async () => {
  const child = kumiai(
    dir.path,
    "compare",
    "tiny.yaml",
    "--strategies",
    "local,fedavg",
    "--threads",
    "1",
    "--out",
    "out",
  );
  let interrupted = false;
  const { exitCode, out } = await ended(child, (err) => {
    if (interrupted || !err.includes("fedavg, seed 1: round 1 of")) return;
    interrupted = true;
    child.kill("SIGINT");
  });
  const result = JSON.parse(await readFile(join(dir.path, "out", "result.json"), "utf8"));
  expect({ exitCode, complete: result.complete }).toEqual({ exitCode: 130, complete: false });
  expect(Object.keys(result.strategies.local.perSeed)).toEqual(["1"]);
  expect(result.strategies.fedavg?.perSeed ?? {}).toEqual({});
  expect((await readdir(join(dir.path, "out"))).sort()).toEqual(COMPARISON_FILES);
  expect(out).toContain("incomplete");
});

test("the process writes no escape sequence into a pipe, and paths are absolute", async () => {
  const { exitCode, out, err } = await ended(kumiai(dir.path, "run", "tiny.yaml", "--rounds", "1", "--out", "out"));
  expect(exitCode).toBe(0);
  expect(out + err).not.toContain("\u001b");
  expect(out).toContain(`report  ${join(dir.path, "out", "report.html")}`);
});

test("a bad file ends the process with its exit code and nothing on stdout", async () => {
  await writeFile(join(dir.path, "bad.yaml"), SCENARIO.replace("[edge]", "[edgy]"));
  const { exitCode, out, err } = await ended(kumiai(dir.path, "run", "bad.yaml"));
  expect(err).toMatch(/^error UNKNOWN_TASK: bad\.yaml:8:/);
  expect({ exitCode, out }).toEqual({ exitCode: 2, out: "" });
});

test.skipIf(process.platform === "win32")(
  "when space runs out the process ends with WRITE_FAILED, keeps what the folder held and leaves nothing half-written",
  async () => {
    await mkdir(join(dir.path, "out"));
    await writeFile(join(dir.path, "out", "result.json"), "earlier");
    // A limit on the size of a file stands in for a full disk.
    const script = 'ulimit -f 5; exec "$0" "$@"';
    const args = ["-c", script, process.execPath, BIN, "run", "tiny.yaml", "--rounds", "1", "--out", "out"];
    const { exitCode, err } = await ended(start(dir.path, "bash", args));
    expect(err).toContain("error WRITE_FAILED: ");
    expect(exitCode).toBe(3);
    expect(await readdir(join(dir.path, "out"))).toEqual(["result.json"]);
    expect(await readFile(join(dir.path, "out", "result.json"), "utf8")).toBe("earlier");
  },
);

test.skipIf(process.platform === "win32")("a reader that goes, as head does, ends no run", async () => {
  const script = 'set -o pipefail; "$0" "$@" 2>&1 | head -n 1';
  const args = ["-c", script, process.execPath, BIN, "run", "tiny.yaml", "--rounds", "2", "--out", "out"];
  const { exitCode, out, err } = await ended(start(dir.path, "bash", args));
  expect({ exitCode, err, lines: out.trimEnd().split("\n").length }).toEqual({ exitCode: 0, err: "", lines: 1 });
  expect((await readdir(join(dir.path, "out"))).sort()).toEqual(COMPARISON_FILES.filter((name) => name !== "runs"));
});

test.skipIf(process.platform !== "linux")(
  "results that standard output cannot take end with WRITE_FAILED",
  async () => {
    const args = ["-c", '"$0" "$1" strategies > /dev/full', process.execPath, BIN];
    const { exitCode, err } = await ended(start(dir.path, "bash", args));
    expect(err).toMatch(/^error WRITE_FAILED: standard output: cannot write \(ENOSPC/);
    expect(exitCode).toBe(3);
  },
);
