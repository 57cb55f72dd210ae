import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { NO_REAL_DATA, realFolder } from "../../testing/real-series.js";
import { guessRoles, rolesOf } from "./guess-roles.js";
import { loadCsv } from "./load-csv.js";
import { profileCsv } from "./profile-csv.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "guess-"));
});
afterEach(async () => rm(folder, { recursive: true }));

async function profileOf(text: string | Uint8Array) {
  await writeFile(join(folder, "plant.csv"), text);
  return profileCsv(join(folder, "plant.csv"));
}

async function guess(header: string, rowAt: (row: number) => readonly (string | number)[], rowCount = 40) {
  const rows = Array.from({ length: rowCount }, (_, row) => rowAt(row).join(","));
  const profile = await profileOf(`${[header, ...rows].join("\n")}\n`);
  const columns = guessRoles(profile);
  return { profile, columns, roles: Object.fromEntries(columns.map(({ name, role }) => [name, role])) };
}

describe("the format is found out", () => {
  test.each([
    ["commas and points", "a,b\n1.5,x\n", { delimiter: ",", header: true, encoding: "utf-8", decimal: "." }],
    [
      "semicolons and decimal commas",
      "a;b\n1,5;2\n",
      { delimiter: ";", header: true, encoding: "utf-8", decimal: "," },
    ],
    ["tabs and points", "a\tb\n1.5\t2\n", { delimiter: "\t", header: true, encoding: "utf-8", decimal: "." }],
    [
      "commas in quoted names",
      '"a, K";"b, N"\n1,5;2,5\n',
      { delimiter: ";", header: true, encoding: "utf-8", decimal: "," },
    ],
    ["no header", "1,2\n3,4\n", { delimiter: ",", header: false, encoding: "utf-8", decimal: "." }],
  ])("%s", async (_, text, format) => {
    expect((await profileOf(text)).format).toEqual(format);
  });

  test("Shift_JIS, as spreadsheets in Japan write it", async () => {
    const bytes = Uint8Array.from([0x89, 0xb7, 0x93, 0x78, 0x2c, 0x79, 0x0a, 0x31, 0x2c, 0x30, 0x0a]);
    const { format, columns } = await profileOf(bytes);
    expect([format.encoding, columns[0]?.name]).toEqual(["shift_jis", "温度"]);
  });

  test.each([
    ["a byte order mark", "\uFEFF温度,y\n1,2\n"],
    ["none", "x,y\n1,2\n"],
  ])("UTF-16 with %s is refused by its name, and read when it is stated", async (_, text) => {
    const bytes = Buffer.from(text, "utf16le");
    await expect(profileOf(bytes)).rejects.toMatchObject({
      code: "FILE_UNREADABLE",
      message: expect.stringMatching(/found UTF-16; save it as UTF-8, or set encoding to utf-16le$/),
    });
    expect((await profileCsv(join(folder, "plant.csv"), { encoding: "utf-16le" })).columns[1]?.name).toBe("y");
  });

  test.each([";;", "", '"', "\n"])("the delimiter %j is refused", async (delimiter) => {
    await writeFile(join(folder, "plant.csv"), "a,b\n1,2\n");
    await expect(profileCsv(join(folder, "plant.csv"), { delimiter })).rejects.toMatchObject({
      code: "INVALID_CONFIG",
      message: expect.stringMatching(/^delimiter: expected one character/),
    });
  });

  test("a quote that stays open is reported where it was opened", async () => {
    const rows = Array.from({ length: 3000 }, (_, row) => (row === 1200 ? `"${row},0` : `${row},1`));
    await expect(profileOf(["a,b", ...rows].join("\n"))).rejects.toMatchObject({
      code: "DATA_MALFORMED",
      message: expect.stringMatching(/plant\.csv:1202: expected a closing quote/),
    });
    const closed = ["a,b", '"1,2', "3,4", 'x "y",6', "7,8"].join("\n");
    await expect(profileOf(closed)).rejects.toMatchObject({
      message: expect.stringMatching(/opened by mistake since line 2$/),
    });
  });
});

test("unit, time, sensors, targets and what is of no use, by name and values", async () => {
  const { roles, columns } = await guess(
    "serial,machine_id,timestamp,temp,press,site,comment,switch,state,toolWear,fail",
    (row) => [
      row + 1,
      `m${Math.floor(row / 20)}`,
      `2024-05-01 00:${String(row).padStart(2, "0")}:00`,
      (row * 7) % 13,
      row % 9 === 0 ? "" : row / 7,
      "tokyo",
      `note ${row}`,
      row % 2,
      row < 30 ? "ok" : "worn",
      row / 10,
      row > 35 ? 1 : 0,
    ],
  );
  expect(roles).toEqual({
    serial: "ignore",
    machine_id: "unit",
    timestamp: "time",
    temp: "sensor",
    press: "sensor",
    site: "ignore",
    comment: "ignore",
    switch: "sensor",
    state: "target",
    toolWear: "target",
    fail: "target",
  });
  const targets = columns.flatMap((column) => (column.role === "target" ? [[column.id, column.target]] : []));
  expect(targets).toEqual([
    ["state", { column: "state", kind: "classes", classes: ["ok", "worn"] }],
    ["toolwear", { column: "toolWear", kind: "number" }],
    ["fail", { column: "fail", kind: "binary" }],
  ]);
  const why = Object.fromEntries(columns.map((column) => [column.name, column.why]));
  expect([why.serial, why.press, why.site, why.comment]).toEqual([
    "a row number",
    "numbers, 12.5 % missing",
    "the same in every row",
    "many different words: names or notes",
  ]);
});

test("only a name that ends in a machine or run is a unit", async () => {
  const unitOf = async (name: string) => (await guess(`${name},x,y`, (row) => [row % 3, row / 3, -row])).roles[name];
  expect([await unitOf("line"), await unitOf("Machine ID"), await unitOf("engineNo"), await unitOf("id")]).toEqual(
    Array(4).fill("unit"),
  );
  expect(await unitOf("line speed")).toBe("sensor");
  expect(await unitOf("machine failure")).toBe("target");
});

test("names in Japanese", async () => {
  const { columns, roles } = await guess("設備,日時,温度,判定,残寿命", (row) => [
    `A${row % 2}`,
    row,
    row * 1.5,
    row % 3 === 0 ? "不良" : "良",
    40 - row,
  ]);
  expect(roles).toEqual({ 設備: "unit", 日時: "time", 温度: "sensor", 判定: "target", 残寿命: "target" });
  expect(columns.flatMap((column) => (column.role === "target" ? [column.id] : []))).toEqual(["target", "target-2"]);
});

test("where no name helps: words before switches before the last column", async () => {
  const a = await guess("a,b,c", (row) => [row * 1.1, row % 2 === 0 ? "x" : "y", row % 2]);
  expect(a.roles).toEqual({ a: "sensor", b: "target", c: "sensor" });
  const b = await guess("a,b,c", (row) => [row * 1.1, row % 2, row * 0.3]);
  expect(b.roles).toEqual({ a: "sensor", b: "target", c: "sensor" });
  const c = await guess("a,b,c", (row) => [row * 1.1, row * 0.7, row * 0.3]);
  expect(c.columns.at(-1)).toMatchObject({
    role: "target",
    why: "the last column, as nothing else looked like a target",
  });
});

describe("a few odd or missing cells do not change what a column is", () => {
  test("a word among numbers: a sensor, with the word as a missing value", async () => {
    const { columns, profile } = await guess(
      "x,temp,y",
      (row) => [row * 1.1, row === 30 ? "ERR" : 20 + (row % 3) / 10, row * 0.3],
      100,
    );
    expect(columns[1]).toEqual({
      name: "temp",
      role: "sensor",
      why: 'numbers; taken as missing: "ERR" (1 cell, first in line 32)',
      warning: 'numbers, but for "ERR" (1 cell, first in line 32); taken as missing values',
      missing: ["ERR"],
    });
    const roles = rolesOf(profile, columns);
    expect(roles.missing).toEqual(["", "NA", "N/A", "NaN", "nan", "null", "NULL", "ERR"]);
    expect((await loadCsv(profile.path, roles)).values[30 * 2 + 1]).toBeNaN();
  });

  test("a rare word among verdicts is a class, a mere sign is not", async () => {
    const gradeWith = async (word: string) =>
      (await guess("x,y,grade", (row) => [row * 1.1, row * 0.3, row === 30 ? word : row % 3], 100)).columns[2];
    expect(await gradeWith("NG")).toMatchObject({
      role: "target",
      target: { classes: ["0", "1", "2", "NG"] },
      warning: expect.stringMatching(/"NG" \(1 cell, first in line 32\); taken as classes/),
    });
    expect(await gradeWith("-")).toMatchObject({
      role: "target",
      target: { classes: ["0", "1", "2"] },
      missing: ["-"],
    });
  });

  test("a word that is also a class cannot be a missing value, so the column is left out", async () => {
    const { columns, profile } = await guess(
      "x,temp,state",
      (row) => [row * 1.1, row === 30 ? "off" : row * 0.7, row % 4 === 0 ? "off" : "on"],
      100,
    );
    expect(columns[1]).toMatchObject({
      role: "ignore",
      why: expect.stringMatching(/"off" cannot stand for a missing/),
    });
    expect((await loadCsv(profile.path, rolesOf(profile, columns))).channels).toEqual(["x"]);
  });

  test("too many different words: the reason says what is there", async () => {
    const { columns } = await guess("x,y,z", (row) => [row * 1.1, row % 25 === 0 ? `<${row}` : row / 7, row / 3], 500);
    expect(columns[1]).toMatchObject({
      role: "ignore",
      why: "numbers in 96.0 % of the cells, many different words in the others",
    });
  });

  test.each([
    ["a number", (row: number) => String(row * 10)],
    ["a date", (row: number) => `2024-05-01 00:${String(row % 60).padStart(2, "0")}:00`],
  ])("blanks in unit and time keep their role, and the first is named; time is %s", async (_, timeAt) => {
    const { columns, profile } = await guess(
      "machine,time,x,fail",
      (row) => [
        row === 50 ? "" : row < 60 ? "A" : "B",
        row === 7 || row === 9 ? "" : row === 11 ? "?" : timeAt(row),
        row / 7,
        row % 9 === 0 ? 1 : 0,
      ],
      120,
    );
    expect(columns.map(({ role, warning }) => [role, warning])).toEqual([
      [
        "unit",
        "1 of 120 rows has no name, first in line 52; a run stops there until such rows are corrected or deleted",
      ],
      [
        "time",
        "3 of 120 rows have no time, first in line 9; a run stops there until such rows are corrected or deleted",
      ],
      ["sensor", undefined],
      ["target", undefined],
    ]);
    const table = await loadCsv(profile.path, rolesOf(profile, columns));
    expect([table.rowCount, table.units]).toEqual([116, ["A", "B"]]);
    const { skip, ...stated } = rolesOf(profile, columns);
    expect(skip).toBeDefined();
    await expect(loadCsv(profile.path, stated)).rejects.toMatchObject({
      message: expect.stringMatching(/csv:9: column/),
    });
  });

  test("a number among dates is no time", async () => {
    const day = (row: number) => `2024-05-01 00:${String(row).padStart(2, "0")}:00`;
    const { columns, profile } = await guess("when,x,fail", (row) => [
      row === 9 ? 45413.4 : day(row),
      row / 7,
      row % 2,
    ]);
    expect(columns[0]).toMatchObject({ role: "time", warning: expect.stringMatching(/bare number for seconds/) });
    expect((await loadCsv(profile.path, rolesOf(profile, columns))).rowCount).toBe(39);
  });

  test.each(["05/01/2024 10:00", "1.5.2024", "2024年5月1日 10:00", "10:00:01", "2024-05-01 10:00:00 AM", "1-May-2024"])(
    "%s is called a date that cannot be read",
    async (date) => {
      const { columns } = await guess("date,x,fail", (row) => [
        row % 2 ? date : date.replace("1", "2"),
        row / 7,
        row % 2,
      ]);
      const problem = "looks like dates that are not ISO; write them as 2024-05-01T10:00 to cut runs at gaps";
      expect(columns[0]).toEqual({ name: "date", role: "ignore", why: problem, warning: problem });
    },
  );
});

test("what is guessed can be loaded as it is", async () => {
  const { profile, columns } = await guess("machine,cycle,x,y,state", (row) => [row % 2, row, row / 3, -row, row % 4]);
  const table = await loadCsv(profile.path, rolesOf(profile, columns));
  expect([table.rowCount, table.units, table.channels]).toEqual([40, ["0", "1"], ["x", "y"]]);
  expect(table.targets[0]?.classNames).toEqual(["0", "1", "2", "3"]);
});

const real = realFolder("ai4i2020");
test.skipIf(real === undefined)(`a public CSV${real === undefined ? ` (${NO_REAL_DATA})` : ""}`, async () => {
  const columns = guessRoles(await profileCsv(join(real ?? "", "ai4i2020.csv")));
  const of = (role: string) => columns.filter((column) => column.role === role).map(({ name }) => name);
  expect(of("time")).toEqual(["UDI"]);
  expect(of("ignore")).toEqual(["Product ID", "Type"]);
  expect(of("target")).toEqual(["Tool wear [min]", "Machine failure", "TWF", "HDF", "PWF", "OSF", "RNF"]);
  expect(of("sensor").length).toBe(4);
});
