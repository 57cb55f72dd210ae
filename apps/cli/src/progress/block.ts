/**
 * Progress on a terminal: one block of lines, drawn again and again in the same place. A bar, the table of all runs, then
 * a small table: a column for each run under way, a row for each site with its latest training loss. Pure: state in, lines out.
 */
import { formatNumber } from "../format.js";
import type { Colors } from "../io.js";
import { leftOf } from "./lines.js";
import { type CurrentRun, doneFraction, type ProgressState } from "./model.js";
import { gridLines } from "./run-grid.js";

export interface BlockOptions {
  readonly nowMs: number;
  readonly columns: number;
  readonly colors: Colors;
  /** More sites than this are summed up in one row. */
  readonly siteLimit: number;
  /** Lines that the block may have. */
  readonly rows: number;
  /** Whether the work is being ended early. */
  readonly stopping: boolean;
}

const GAP = "  ";
const REPORTED = "•";

/** The block's lines; none is wider than `columns − 1`, so that a terminal never wraps one. */
export function blockLines(state: ProgressState, options: BlockOptions): readonly string[] {
  const { colors, stopping } = options;
  const width = Math.max(10, options.columns - 1);
  const lines = [];
  if (state.work.finishedSteps > 0) lines.push(barLine(state, options, width));
  const sites = state.runs.length > 0 ? runTable(state.runs, options, width) : [];
  // Bar, its note, heading and the line about what is not shown; the losses of sites yield when there is no room for both.
  const rowLimit = Math.max(3, options.rows - 5);
  const grid = gridLines(state, { nowMs: options.nowMs, width, colors, rowLimit });
  lines.push(...grid);
  if (grid.length === 0 || grid.length + sites.length + 4 <= options.rows) lines.push(...sites);
  if (state.preparing !== null) lines.push(colors.dim(cut(`${state.preparing} …`, width)));
  if (stopping) lines.push(colors.yellow(cut("ending after the steps under way; Ctrl-C again ends at once", width)));
  return lines;
}

function barLine(state: ProgressState, { nowMs, colors }: BlockOptions, width: number): string {
  const { finishedRuns, totalRuns } = state.work;
  const done = doneFraction(state);
  const runs = totalRuns > 1 ? [`${finishedRuns} of ${totalRuns} runs done`] : [];
  const tail = [` ${Math.floor(done * 100)} %`, ...runs, ...leftOf(state, nowMs)].join(", ");
  const size = Math.max(5, Math.min(30, width - tail.length));
  const filled = Math.round(done * size);
  return colors.green("█".repeat(filled)) + colors.dim("░".repeat(size - filled)) + cut(tail, width - size);
}

function runTable(runs: readonly CurrentRun[], options: BlockOptions, width: number): readonly string[] {
  const { colors, siteLimit } = options;
  const sites = [...new Set(runs.flatMap((run) => [...run.losses.keys(), ...run.absent]))];
  const listed = sites.length <= siteLimit ? sites : [];
  const rowNames = listed.length > 0 ? listed : ["sites done"];
  const nameWidth = Math.max(...rowNames.map((name) => name.length), "round".length);
  const columns = fittingColumns(runs, listed, width - nameWidth);
  const row = (name: string, cells: readonly string[]) =>
    cut([name.padEnd(nameWidth), ...cells].join(GAP).trimEnd(), width);
  const cells = (line: number) => columns.map(({ texts, size }) => (texts[line] ?? "").padEnd(size));
  return [
    colors.bold(row("", cells(0))),
    row("round", cells(1)),
    ...rowNames.map((name, i) => colors.dim(row(name, cells(i + 2)))),
  ];
}

interface Column {
  readonly texts: readonly string[];
  readonly size: number;
}

/** As many runs as fit into `room`; at least one. */
function fittingColumns(runs: readonly CurrentRun[], sites: readonly string[], room: number): readonly Column[] {
  const columns = runs.map((run) => {
    const texts = columnOf(run, sites);
    return { texts, size: Math.max(...texts.map((text) => text.length)) };
  });
  let used = 0;
  const fitting = columns.filter(({ size }) => {
    used += size + GAP.length;
    return used <= room;
  });
  return fitting.length > 0 ? fitting : columns.slice(0, 1);
}

function columnOf(run: CurrentRun, sites: readonly string[]): readonly string[] {
  const head = [`${run.strategy}, seed ${run.seed}`, run.round === 0 ? "–" : `${run.round} of ${run.roundCount}`];
  if (sites.length === 0) return [...head, `${run.reported.length} of ${run.losses.size}`];
  return [...head, ...sites.map((site) => lossCell(run, site))];
}

function lossCell(run: CurrentRun, site: string): string {
  if (run.absent.includes(site)) return "absent";
  const loss = run.losses.get(site);
  if (loss === null || loss === undefined) return "";
  return run.reported.includes(site) ? `${formatNumber(loss)} ${REPORTED}` : formatNumber(loss);
}

/** `text` in at most `width` characters. */
function cut(text: string, width: number): string {
  if (text.length <= width) return text;
  return width <= 1 ? text.slice(0, Math.max(0, width)) : `${text.slice(0, width - 1)}…`;
}
