/**
 * CSV files of a scenario's sites as tables. Complaints begin with the line of the scenario that has to change, or that names the file:
 * what a field should be is for both to say.
 */
import { columnWords, loadCsv, type OnNotice, type SeriesTable } from "@kumiai/datasets";
import { KumiaiError, nearestWord } from "@kumiai/params";
import { placed, refuse } from "../config/issues.js";
import type { ConfigPath } from "../config/located.js";
import type { ClientConfig, CsvConfig, Scenario } from "../config/scenario.js";
import { csvFileOf, csvFormatOf, csvRolesOf } from "./csv-roles.js";

/** By path, each file once. Throws INVALID_CONFIG, FILE_NOT_FOUND, FILE_UNREADABLE, DATA_MALFORMED. */
export async function loadCsvTables(
  scenario: Scenario,
  data: CsvConfig,
  onNotice: OnNotice,
): Promise<ReadonlyMap<string, SeriesTable>> {
  const clientsOf = new Map<string, ClientConfig[]>();
  for (const client of scenario.clients) {
    const file = csvFileOf(data, client);
    clientsOf.set(file, [...(clientsOf.get(file) ?? []), client]);
  }
  const agreed = await withCommonClasses(scenario, data, onNotice);
  const tables = new Map<string, SeriesTable>();
  for (const [file, clients] of clientsOf) {
    const roles = csvRolesOf(agreed, clients);
    tables.set(file, await located(scenario, data, [file], () => loadCsv(file, roles, onNotice)));
  }
  await checkPositives(scenario, data, tables);
  return tables;
}

/** `data` in which a target of several files that nobody stated the classes of has those of all: head k must mean the same everywhere. */
async function withCommonClasses(scenario: Scenario, data: CsvConfig, onNotice: OnNotice): Promise<CsvConfig> {
  const targets = { ...data.targets };
  for (const [id, target] of Object.entries(data.targets)) {
    const sharers = scenario.clients.filter(({ tasks }) => tasks.some((task) => task === id));
    const files = [...new Set(sharers.map((client) => csvFileOf(data, client)))];
    if (target.kind !== "classes" || target.classes !== null || files.length < 2) continue;
    const classes = await located(scenario, data, files, () => columnWords(files, target.column, csvFormatOf(data)));
    onNotice(
      `task ${id}: its classes are those of all ${files.length} files together: ${listed(classes)}; ` +
        `plants have to agree on them, so state them under data.targets.${id}.classes`,
    );
    targets[id] = { ...target, classes };
  }
  return { ...data, targets };
}

/** A word that means yes and stands nowhere would make a task of which every label is no. */
async function checkPositives(
  scenario: Scenario,
  data: CsvConfig,
  tables: ReadonlyMap<string, SeriesTable>,
): Promise<void> {
  for (const [id, { column, positive }] of Object.entries(data.targets)) {
    if (positive === null) continue;
    const having = [...tables].flatMap(([file, { targets }]) => {
      const target = targets.find((one) => one.id === id);
      return target === undefined ? [] : [{ file, target }];
    });
    if (having.length === 0 || having.some(({ target }) => target.values.includes(1))) continue;
    const files = having.map(({ file }) => file);
    const words = await columnWords(files, column, csvFormatOf(data));
    const nearest = nearestWord(positive, words);
    refuse(scenario, "INVALID_CONFIG", {
      path: ["data", "targets", id, "positive"],
      expected: `a word that occurs in column ${column}: ${listed(words)}`,
      received: positive,
      advice: nearest === undefined ? "use one of these" : `did you mean "${nearest}"?`,
    });
  }
}

/** More words than this are hardly classes. */
const LISTED_WORDS = 20;

function listed(words: readonly string[]): string {
  const more = words.length > LISTED_WORDS ? `, … (${words.length} in all)` : "";
  return `${words.slice(0, LISTED_WORDS).join(", ") || "none at all"}${more}`;
}

/** What `read` gives; its complaints with the line of the scenario that they are about. */
async function located<T>(
  scenario: Scenario,
  data: CsvConfig,
  files: readonly string[],
  read: () => Promise<T>,
): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof KumiaiError)) throw error;
    const { received, path } = error.details; // The path may have a line behind it.
    const file = files.find((one) => String(path).startsWith(one)) ?? files[0] ?? "";
    const place =
      error.code !== "INVALID_CONFIG"
        ? placeOfFile(scenario, data, file)
        : typeof received === "string"
          ? placeOfColumn(scenario, data, received)
          : ["data"];
    throw placed(error, scenario, place);
  }
}

function placeOfFile(scenario: Scenario, data: CsvConfig, file: string): ConfigPath {
  const client = scenario.clients.findIndex(({ series }) => series?.file === file);
  return data.file === file || client < 0 ? ["data", "file"] : ["clients", client, "file"];
}

/** Where the scenario gives `column` its role. */
function placeOfColumn({ clients }: Scenario, data: CsvConfig, column: string): ConfigPath {
  if (data.unit === column) return ["data", "unit"];
  if (data.time === column) return ["data", "time"];
  const target = Object.entries(data.targets).find(([, one]) => one.column === column);
  if (target !== undefined) return ["data", "targets", target[0]];
  for (const key of ["ignore", "sensors"] as const) {
    const index = data[key]?.indexOf(column) ?? -1;
    if (index >= 0) return ["data", key, index];
  }
  const client = clients.findIndex(({ series }) => series?.sensors?.includes(column));
  return client < 0 ? ["data"] : ["clients", client, "sensors", clients[client]?.series?.sensors?.indexOf(column) ?? 0];
}
