/** `kumiai init`: a commented starter scenario from a CSV file. */
import { stat } from "node:fs/promises";
import { basename, dirname, relative, resolve } from "node:path";
import type { GuessedColumn } from "@kumiai/datasets";
import { KumiaiError, writeFileAtomic } from "@kumiai/params";
import { Command } from "commander";
import { prepareOutputDir } from "../files.js";
import { shellQuoted } from "../init/shell-quoted.js";
import { starterConfig } from "../init/starter-config.js";
import type { Io } from "../io.js";
import type { CommandContext } from "../program.js";

interface InitOptions {
  readonly out?: string;
  readonly force?: boolean;
  readonly delimiter?: string;
  readonly encoding?: string;
}

export function initCommand({ io }: CommandContext): Command {
  return new Command("init")
    .summary("a starter scenario from a CSV file")
    .description(
      "Looks at the columns of a CSV file of sensor series, guesses which are sensors, targets, unit and time, and writes a " +
        "scenario with a comment at every guess. Check it, then `kumiai run` it.",
    )
    .argument("<FILE>", "CSV file, also .csv.gz; delimiter, decimal mark and encoding are found out")
    .option("-o, --out <FILE>", "where to write it (default: the CSV's name with .yaml, in this folder)")
    .option("--force", "replace the scenario if it is there")
    .option("--delimiter <CHAR>", "what stands between fields (one character, \\t for a tab), if found out wrongly")
    .option("--encoding <NAME>", "e.g. utf-8 or shift_jis, likewise")
    .action((file: string, options: InitOptions) => init(file, options, io));
}

async function init(file: string, options: InitOptions, io: Io): Promise<void> {
  const name = scenarioName(file);
  const out = resolve(options.out ?? `${name}.yaml`);
  await refuseToReplace(out, options.force === true);
  const { guessRoles, loadCsv, profileCsv, rolesOf, suggestWindows } = await import("@kumiai/datasets");
  const { encoding } = options;
  // Shells make it hard to pass a tab.
  const delimiter = options.delimiter === "\\t" ? "\t" : options.delimiter;
  const profile = await profileCsv(file, {
    ...(delimiter !== undefined && { delimiter }),
    ...(encoding !== undefined && { encoding }),
  });
  const columns = guessRoles(profile);
  requireSensorsAndTargets(file, columns);
  for (const { name: column, warning } of columns) {
    if (warning !== undefined) io.err(`${file}: column ${oneLine(column)}: ${warning}\n`);
  }
  const roles = rolesOf(profile, columns);
  const table = await loadCsv(file, roles, (notice) => io.err(`${notice}\n`));
  const hasTime = columns.some(({ role }) => role === "time");
  await prepareOutputDir(dirname(out));
  const { format } = profile;
  const text = starterConfig({
    command: `kumiai init ${shellQuoted(basename(file))}`,
    name,
    configFile: basename(out),
    csvFile: relative(dirname(out), resolve(file)),
    format: {
      delimiter: format.delimiter ?? ",",
      decimal: format.decimal ?? ".",
      encoding: format.encoding ?? "utf-8",
      header: format.header ?? true,
      missing: roles.missing,
    },
    rowCount: profile.rowCount,
    columns,
    table,
    windows: suggestWindows(table, hasTime),
  });
  await writeFileAtomic(out, text);
  for (const line of summary(columns)) io.out(`${line}\n`);
  io.out(`\nscenario  ${io.colors.bold(out)}\n`);
  io.out(
    `next      check the guesses in it, then: kumiai run ${shellQuoted(relative(process.cwd(), out) || out)} --strategy local\n`,
  );
}

/** `press line 3.csv.gz` → `press-line-3`. */
function scenarioName(file: string): string {
  const bare = basename(file)
    .replace(/\.gz$/i, "")
    .replace(/\.[^.]+$/, "");
  return (
    bare
      .replace(/[^A-Za-z0-9._-]+/g, "-")
      .replace(/^[^A-Za-z0-9]+|-+$/g, "")
      .slice(0, 63) || "plant"
  );
}

async function refuseToReplace(path: string, isForced: boolean): Promise<void> {
  const isThere = await stat(path).then(
    () => true,
    () => false,
  );
  if (!isThere || isForced) return;
  throw new KumiaiError("WRITE_FAILED", `${path}: is there already; --force replaces it, --out writes elsewhere`, {
    path,
  });
}

function requireSensorsAndTargets(file: string, columns: readonly GuessedColumn[]): void {
  for (const role of ["sensor", "target"] as const) {
    if (columns.some((column) => column.role === role)) continue;
    const seen = columns.map(({ name, role: is, why }) => `${name} (${is}: ${why})`).join(", ");
    throw new KumiaiError(
      "INVALID_CONFIG",
      `${file}: expected at least one column that could be a ${role}, found none; columns: ${seen}; is the delimiter right?`,
    );
  }
}

function summary(columns: readonly GuessedColumn[]): readonly string[] {
  return ["time", "unit", "target", "sensor", "ignore"].flatMap((role) =>
    columns
      .filter((column) => column.role === role)
      .map(({ name, why }) => `${role.padEnd(8)}  ${oneLine(name)}: ${why}`),
  );
}

const oneLine = (name: string): string => name.replace(/\s+/g, " ");
