/** `sweep.md` and `sweep.csv`: the plot's numbers, to be put into a text or computed with. */
import { formatGain, formatInterval, formatNumber, formatSigned } from "../report/format.js";
import { roundedNumber } from "../serialize.js";
import { csvLine } from "../tables/csv.js";
import { markdownTable } from "../tables/markdown.js";
import { type DegreeGain, notesOf, type SweepResult } from "./summarize.js";

const NONE = "–";

export function renderSweepMarkdown(sweep: SweepResult): string {
  const { name, description, axis, baseline, degrees, seeds, complete } = sweep;
  const compared = sweep.strategies.filter((strategy) => strategy !== baseline);
  const head = ["strategy", ...degrees.map(({ label }) => label)];
  const rowsOf = (cell: (gain: DegreeGain) => string) =>
    compared.map((strategy) => [
      strategy,
      ...degrees.map(({ strategies }) => {
        const gain = strategies[strategy];
        return gain === undefined ? NONE : cell(gain);
      }),
    ]);
  const parts = [
    `# ${name}: Δ% over ${axis.label}, seeds ${seeds.join(", ")}`,
    ...(description === "" ? [] : [description]),
    ...(complete ? [] : ["**Not finished**: degrees or seeds are missing."]),
    markdownTable(head, rowsOf(gainText)),
    "Δ% is relative to `local` at the same degree and in the same seed, mean over sites of the mean over their tasks; in brackets Student's 95 % " +
      "interval over seeds. Columns have different yardsticks: `local` changes with the degree too.",
    ...notesOf(sweep).map((note) => `- ${note}`),
    "## Worst site",
    markdownTable(head, rowsOf(worstText)),
    "## Tasks not above a constant prediction",
    markdownTable(
      head,
      [baseline, ...compared].map((strategy) => [
        strategy,
        ...degrees.map(({ strategies, taskCount }) => {
          const gain = strategies[strategy];
          return gain === undefined ? NONE : `${gain.notAboveConstantCount} of ${taskCount}`;
        }),
      ]),
    ),
  ];
  return `${parts.join("\n\n").replaceAll("\u00a0", " ")}\n`;
}

/** "+4.10 ± 1.20 (+1.12 … +7.08 %)". */
export function gainText({
  relativeGainPercent: mean,
  relativeGainStdPercent: std,
  relativeGainInterval95,
}: DegreeGain): string {
  if (mean === null) return NONE;
  if (std === null || relativeGainInterval95 === null) return formatSigned(mean, 2);
  return `${formatSigned(mean, 2)} ± ${formatNumber(std, 2)} (${formatInterval(relativeGainInterval95, 2)})`;
}

function worstText({ worstSite }: DegreeGain): string {
  return worstSite === null ? NONE : `${worstSite.id} ${formatGain(worstSite.gainPercent, 2)}`;
}

export const SWEEP_CSV_COLUMNS = ["sweep", "at", "label", "strategy", "seed", "gain_percent"] as const;

/** Tidy, one line for each degree, strategy and seed (RFC 4180, UTF-8, decimal point). */
export function renderSweepCsv({ name, degrees, strategies, seeds }: SweepResult): string {
  const lines = [csvLine(SWEEP_CSV_COLUMNS)];
  for (const degree of degrees) {
    for (const strategy of strategies) {
      for (const seed of seeds) {
        const gain = degree.strategies[strategy]?.perSeedGainPercent[String(seed)];
        if (gain === undefined) continue;
        lines.push(csvLine([name, degree.at, degree.label, strategy, seed, roundedNumber(gain)]));
      }
    }
  }
  return `${lines.join("\n")}\n`;
}
