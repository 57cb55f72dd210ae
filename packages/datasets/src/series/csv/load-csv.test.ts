import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { NO_REAL_DATA, realFolder } from "../../testing/real-series.js";
import { windowsOf } from "../windows.js";
import { type CsvRoles, loadCsv } from "./load-csv.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "csv-"));
});
afterEach(async () => rm(folder, { recursive: true }));

async function load(text: string | Uint8Array, roles: CsvRoles, name = "plant.csv") {
  const path = join(folder, name);
  await writeFile(path, text);
  const notices: string[] = [];
  const table = await loadCsv(path, roles, (notice) => notices.push(notice.replace(folder, "")));
  return { table, notices };
}

const TEXT = `machine,when,temp,"load, kN",state,alarm,wear,note
B,2024-05-01 00:00:10,1.5,10,ok,0,0.5,x
A,2024-05-01 00:00:00,2,20,worn,no,,"a ""quoted""
note over two lines"
A,2024-05-01 00:00:20,NA,40,NA,yes,2,
A,2024-05-01 00:00:10,3,30,ok,TRUE,1,
`;
const ROLES: CsvRoles = {
  unit: "machine",
  time: "when",
  sensors: ["load, kN", "temp"],
  targets: { state: { kind: "classes" }, alarm: { kind: "binary" }, life: { kind: "number", column: "wear" } },
  ignore: ["note"],
};

test("roles by column name; rows sorted by unit and time; missing values and labels are NaN", async () => {
  const { table, notices } = await load(TEXT, ROLES);
  expect(table.units).toEqual(["B", "A"]);
  expect([...table.unitOf]).toEqual([0, 1, 1, 1]);
  expect(table.channels).toEqual(["load, kN", "temp"]);
  expect([...table.values]).toEqual([10, 1.5, 20, 2, 30, 3, 40, Number.NaN]);
  expect([...table.time].map((t) => t - Date.UTC(2024, 4, 1) / 1000)).toEqual([10, 0, 10, 20]);
  expect(table.targets.map(({ id, metric, classNames, values }) => [id, metric, classNames, ...values])).toEqual([
    ["state", "macro-f1", ["ok", "worn"], 0, 1, 0, Number.NaN],
    ["alarm", "auroc", ["0", "1"], 0, 0, 1, 1],
    ["life", "rmse", [], 0.5, Number.NaN, 1, 2],
  ]);
  expect(notices).toEqual([expect.stringMatching(/rows were not in the order of time; they are sorted/)]);
});

test("semicolons, decimal commas, no header, a byte order mark, Windows line ends, gzip", async () => {
  const text = "\uFEFF1,5;2;0\r\n-2,5e1;NaN;1\r\n";
  const { table, notices } = await load(
    gzipSync(text),
    {
      delimiter: ";",
      decimal: ",",
      header: false,
      sensors: ["1"],
      targets: { y: { kind: "binary", column: "3" } },
    },
    "plant.csv.gz",
  );
  expect([...table.values]).toEqual([1.5, -25]);
  expect(table.units).toEqual(["all"]);
  expect(notices).toEqual(["/plant.csv.gz: columns without a role are left out: 2"]);
});

test("a large number that changes little keeps its digits", async () => {
  const { table } = await load("p,y\n101325123.25,0\n101325123.5,1\n", {
    sensors: ["p"],
    targets: { y: { kind: "binary" } },
  });
  expect([...table.values]).toEqual([101325123.25, 101325123.5]);
});

test("text in another encoding is read when that is said, and refused otherwise", async () => {
  // "温度,y" in Shift_JIS.
  const bytes = Uint8Array.from([
    0x89, 0xb7, 0x93, 0x78, 0x2c, 0x79, 0x0a, 0x31, 0x2c, 0x30, 0x0a, 0x32, 0x2c, 0x31, 0x0a,
  ]);
  const roles: CsvRoles = { sensors: ["温度"], targets: { y: { kind: "binary" } } };
  expect([...(await load(bytes, { ...roles, encoding: "shift_jis" })).table.values]).toEqual([1, 2]);
  await expect(load(bytes, roles)).rejects.toMatchObject({
    code: "FILE_UNREADABLE",
    message: expect.stringMatching(/shift_jis/),
  });
  await expect(load(bytes, { ...roles, encoding: "sjiss" })).rejects.toMatchObject({ code: "INVALID_CONFIG" });
});

test("a long step in time is a break that no window crosses", async () => {
  const times = [0, 1, 2, 10, 11, 12];
  const text = `t,x\n${times.map((t) => `${t},${t}`).join("\n")}\n`;
  const { table } = await load(text, { time: "t", maxTimeStep: 2, sensors: ["x"], targets: {} });
  expect([...table.segmentOf]).toEqual([0, 0, 0, 1, 1, 1]);
  expect([...windowsOf(table, { length: 2, stride: 1 }).start]).toEqual([0, 1, 3, 4]);
});

test("classes are sorted by number, then by word, unless their order is stated", async () => {
  const text = "x,c\n1,10\n2,9\n3,b\n4,a\n";
  const classesOf = async (classes?: readonly string[]) => {
    const { table } = await load(text, {
      sensors: ["x"],
      targets: { c: { kind: "classes", ...(classes && { classes }) } },
    });
    return [table.targets[0]?.classNames, [...(table.targets[0]?.values ?? [])]];
  };
  expect(await classesOf()).toEqual([
    ["9", "10", "a", "b"],
    [1, 0, 3, 2],
  ]);
  expect(await classesOf(["b", "10", "9", "a", "c"])).toEqual([
    ["b", "10", "9", "a", "c"],
    [1, 2, 0, 3],
  ]);
});

describe("says what is wrong", () => {
  const roles: CsvRoles = { time: "t", sensors: ["x"], targets: { c: { kind: "classes", classes: ["ok", "worn"] } } };
  test.each<[string, string, Partial<CsvRoles>, string, RegExp]>([
    [
      "a word among numbers",
      "t,x,c\n1,2,ok\n2,hot,ok\n",
      {},
      "DATA_MALFORMED",
      /plant\.csv:3: column x: expected a number.*found "hot"; state it under missing/,
    ],
    [
      "the largest number a program can hold",
      "t,x,c\n1,2,ok\n2,-1.79769e308,ok\n",
      {},
      "DATA_MALFORMED",
      /plant\.csv:3: column x: expected a number up to ±1e38, found "-1\.79769e308"; .*state it under missing/,
    ],
    ["a decimal comma", "t;x;c\n1;2,5;ok\n", { delimiter: ";" }, "DATA_MALFORMED", /found "2,5"; set decimal: ","/],
    [
      "a class that is not listed",
      "t,x,c\n1,2,broken\n",
      {},
      "DATA_MALFORMED",
      /:2: column c: expected one of ok, worn, found "broken"/,
    ],
    ["a time that is none", "t,x,c\nnoon,2,ok\n", {}, "DATA_MALFORMED", /:2: column t: expected a number or a date/],
    [
      "a line with too few fields",
      "t,x,c\n1,2,ok\n2,3\n",
      {},
      "DATA_MALFORMED",
      /plant\.csv:3: expected as many fields as in the first line/,
    ],
    ["a quote that is not closed", 't,x,c\n1,2,"ok\n', {}, "DATA_MALFORMED", /expected a closing quote/],
    ["a header that repeats a name", "t,x,x\n1,2,3\n", {}, "DATA_MALFORMED", /column 3 is called x like another one/],
    ["no rows", "t,x,c\n", {}, "DATA_MALFORMED", /expected rows after the header, found none/],
    ["an empty file", "", {}, "DATA_MALFORMED", /found an empty file/],
    [
      "a column that is not there",
      "t,temp,c\n1,2,ok\n",
      { sensors: ["tmp"] },
      "INVALID_CONFIG",
      /expected one of t, temp, c, received "tmp"; did you mean "temp"/,
    ],
    ["another delimiter", "t;x;c\n1;2;ok\n", {}, "INVALID_CONFIG", /set delimiter: ";"/],
    [
      "two roles for a column",
      "t,x,c\n1,2,ok\n",
      { unit: "x" },
      "INVALID_CONFIG",
      /column x: expected one role, received two/,
    ],
    [
      "a class for every row",
      "t,x,k\n1,2,a\n",
      { targets: { k: { kind: "classes" } } },
      "INVALID_CONFIG",
      /target k: expected 2 to 255 classes, received 1/,
    ],
    ["no sensors", "t,x,c\n1,2,ok\n", { sensors: [] }, "INVALID_CONFIG", /expected at least one column to be a sensor/],
  ])("%s", async (_, text, more, code, message) => {
    await expect(load(text, { ...roles, ...more })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  test("a file that is not there", async () => {
    await expect(loadCsv(join(folder, "none.csv"), roles)).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  });
});

const real = realFolder("ai4i2020");
test.skipIf(real === undefined)(
  `a public CSV as it is: 10,000 rows, 339 failures${real === undefined ? ` (${NO_REAL_DATA})` : ""}`,
  async () => {
    const table = await loadCsv(join(real ?? "", "ai4i2020.csv"), {
      time: "UDI",
      sensors: ["Air temperature [K]", "Torque [Nm]"],
      targets: { failure: { kind: "binary", column: "Machine failure" }, type: { kind: "classes", column: "Type" } },
      ignore: [
        "Product ID",
        "Process temperature [K]",
        "Rotational speed [rpm]",
        "Tool wear [min]",
        "TWF",
        "HDF",
        "PWF",
        "OSF",
        "RNF",
      ],
    });
    const [failure, type] = table.targets;
    expect([table.rowCount, failure?.values.reduce((sum, y) => sum + y, 0)]).toEqual([10_000, 339]);
    const counts = [0, 1, 2].map((c) => type?.values.filter((y) => y === c).length);
    expect([type?.classNames, counts]).toEqual([
      ["H", "L", "M"],
      [1003, 6000, 2997],
    ]);
  },
);

test("without a list of sensors, every column without another role is one", async () => {
  const text = "id,t,a,b,y\n1,0,5,6,0\n2,1,7,8,1\n";
  const { table, notices } = await load(text, { time: "t", ignore: ["id"], targets: { y: { kind: "binary" } } });
  expect([table.channels, [...table.values], notices]).toEqual([["a", "b"], [5, 6, 7, 8], []]);
  await expect(load("y\n1\n", { targets: { y: { kind: "binary" } } })).rejects.toMatchObject({
    code: "INVALID_CONFIG",
    message: expect.stringMatching(/expected at least one column to be a sensor/),
  });
});
