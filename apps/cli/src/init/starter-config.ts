/** The text of a starter scenario: YAML with a comment at every guess. Nothing here reads or writes files. */
import type { CsvTarget, GuessedColumn, SeriesTable, SuggestedWindows } from "@kumiai/datasets";
import { shellQuoted } from "./shell-quoted.js";

export interface StarterFacts {
  /** As the user typed it, fit for a shell. */
  readonly command: string;
  readonly name: string;
  /** Of the scenario, for the commands that the text suggests. */
  readonly configFile: string;
  /** Of the CSV, relative to the scenario. */
  readonly csvFile: string;
  readonly format: {
    readonly delimiter: string;
    readonly decimal: string;
    readonly encoding: string;
    readonly header: boolean;
    /** Undefined: the usual words. */
    readonly missing?: readonly string[] | undefined;
  };
  /** Of the file; rows without unit or time are not in the table. */
  readonly rowCount: number;
  readonly columns: readonly GuessedColumn[];
  readonly table: SeriesTable;
  readonly windows: SuggestedWindows;
}

export function starterConfig(facts: StarterFacts): string {
  const tasks = facts.columns.flatMap((column) => (column.role === "target" ? [column.id] : []));
  return `${[
    ...heading(facts),
    "",
    `name: ${quoted(facts.name)}`,
    "",
    ...dataSection(facts),
    "",
    ...learningSections(),
    "",
    ...clientSection(facts, tasks),
  ].join("\n")}\n`;
}

function heading({ command, configFile }: StarterFacts): readonly string[] {
  const config = shellQuoted(configFile);
  return [
    `# A starter scenario, written by \`${command}\`.`,
    "# What a column is was guessed from its name and values; the reason stands beside each guess. Please check:",
    "#   1. Is every target something that you want predicted, and nothing that is known only afterwards among the sensors?",
    "#   2. Does a window span what a person would need to see, and a block more than machines remember?",
    "#   3. Who are the sites? Below, one file is dealt to several; give each plant its own as soon as you have it.",
    "# Then:",
    `#   kumiai run ${config} --strategy local`,
    `#   kumiai compare ${config} --strategies local,fedavg,fedhca2`,
    "# All keys: docs/ref-scenario.md.",
  ];
}

function dataSection(facts: StarterFacts): readonly string[] {
  const { format, columns, table, rowCount } = facts;
  const unitCount = table.units.length;
  const ofRole = (role: GuessedColumn["role"]) => columns.filter((column) => column.role === role);
  const [unit] = ofRole("unit");
  const [time] = ofRole("time");
  const ignored = ofRole("ignore");
  return [
    "data:",
    "  kind: csv",
    commented(
      `  file: ${quoted(facts.csvFile)}`,
      `${plural(rowCount, "row")}, ${plural(unitCount, "unit")}; relative to this file`,
    ),
    `  delimiter: ${quoted(format.delimiter)}`,
    `  decimal: ${quoted(format.decimal)}`,
    ...(format.encoding === "utf-8" ? [] : [`  encoding: ${quoted(format.encoding)}`]),
    ...(format.header ? [] : [commented("  header: false", 'columns are called "1", "2", …')]),
    ...missingLines(facts),
    ...(unit === undefined
      ? ["  # unit: no column looked like the name of a machine or run; all rows are taken as one machine's."]
      : [commented(`  unit: ${quoted(unit.name)}`, `guess: ${unit.why}`)]),
    ...(time === undefined
      ? ["  # time: no column could be read as a time; rows are taken in the order of the file."]
      : [commented(`  time: ${quoted(time.name)}`, `guess: ${time.why}`)]),
    ...breakLines(facts),
    "  sensors:",
    ...ofRole("sensor").map(({ name, why }) => commented(`    - ${quoted(name)}`, why)),
    "  targets:",
    ...columns.flatMap((column) => (column.role === "target" ? targetLines(column.id, column.target, column.why) : [])),
    ...(ignored.length === 0 ? [] : ["  ignore:"]),
    ...ignored.map(({ name, why }) => commented(`    - ${quoted(name)}`, why)),
    ...windowLines(facts),
  ];
}

function missingLines({ format: { missing } }: StarterFacts): readonly string[] {
  if (missing === undefined) return [];
  return [
    '  # Fields that stand for "not measured": the usual ones, and words that were found among numbers. Are they errors, or do they say something?',
    `  missing: [${missing.map(quoted).join(", ")}]`,
  ];
}

function breakLines({ windows: { maxTimeStep } }: StarterFacts): readonly string[] {
  if (maxTimeStep === undefined) return [];
  return [
    commented(
      `  maxTimeStep: ${maxTimeStep}`,
      "guess: longer pauses (seconds for dates) are breaks that no window crosses",
    ),
  ];
}

function targetLines(id: string, { column = id, kind, classes }: CsvTarget, why: string): readonly string[] {
  return [
    commented(`    ${quoted(id)}:`, `guess: ${why}`),
    `      column: ${quoted(column)}`,
    `      kind: ${kind}`,
    ...(classes === undefined ? [] : [`      classes: [${classes.map((name) => quoted(String(name))).join(", ")}]`]),
  ];
}

function windowLines({ windows }: StarterFacts): readonly string[] {
  const { length, stride, blockLength, gap } = windows;
  return [
    "  # An example is a window of `length` rows; its label is the one of its last row. The next window starts `stride` rows later.",
    `  window: { length: ${length}, stride: ${stride} }`,
    "  # Blocks of `blockLength` windows in a row are for training or for testing; training windows within `gap` of a test block are dropped.",
    `  split: { blockLength: ${blockLength}, testShare: 0.3, gap: ${gap} }`,
  ];
}

function learningSections(): readonly string[] {
  return [
    "model:",
    commented("  stem: { width: 16 }", "a site's own first layer: sites may have other sensors"),
    commented("  encoder: { channels: [24, 32, 48], kernel: 5 }", "shared by all sites"),
    commented("  decoder: { width: 32 }", "one per task"),
    "",
    "training: { rounds: 20, localEpochs: 2, batchSize: 16 }",
    "evaluation: { everyRounds: 5 }",
  ];
}

/** More machines than this are not made sites of their own. */
const MAX_UNIT_SITES = 8;

function clientSection({ table, columns }: StarterFacts, tasks: readonly string[]): readonly string[] {
  const list = `[${tasks.map(quoted).join(", ")}]`;
  const { units } = table;
  const byUnit = columns.some(({ role }) => role === "unit") && units.length <= MAX_UNIT_SITES;
  const sites = byUnit
    ? [
        "  # Until there is a second plant, each machine is a site.",
        ...units.map((unit, i) => `  - { id: site-${i + 1}, units: [${JSON.stringify(unit)}], tasks: ${list} }`),
      ]
    : [
        "  # Until there is a second plant, each of two sites takes every other block of the one file.",
        `  - { id: site-a, tasks: ${list}, blocks: [0, 2] }`,
        `  - { id: site-b, tasks: ${list}, blocks: [1, 2] }`,
      ];
  return [
    "clients:",
    ...sites,
    "  # With a file of its own, a plant may have other sensors and other tasks:",
    `  # - { id: second-plant, file: second-plant.csv, tasks: ${list}, sensors: [...] }`,
  ];
}

/** Words that YAML takes as they are stay bare; everything else goes between double quotes, as JSON does it. */
function quoted(text: string): string {
  return /^[A-Za-z][A-Za-z0-9_-]*$/.test(text) && !/^(?:y|n|yes|no|on|off|true|false|null|nan|inf)$/i.test(text)
    ? text
    : JSON.stringify(text);
}

function commented(line: string, comment: string): string {
  return `${line}  # ${comment.replace(/[\s\p{Cc}]+/gu, " ")}`;
}

function plural(count: number, noun: string): string {
  return `${count.toLocaleString("en-US")} ${noun}${count === 1 ? "" : "s"}`;
}
