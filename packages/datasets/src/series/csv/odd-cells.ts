/** Cells that are not what nearly all others of their column are, e.g. `ERR` among numbers. */

/** Share of the cells that have to agree on what a column is; a sensor that fails now and then is still a sensor. */
export const NEARLY_ALL = 0.95;

/** With more different odd words than this, a column is not numbers with slips. */
const MAX_ODD_WORDS = 12;

export interface OddWord {
  readonly count: number;
  readonly firstLine: number;
}

export interface OddCells {
  readonly count: number;
  readonly firstLine: number | undefined;
  /** Undefined when there are more than a few different ones. */
  readonly words: ReadonlyMap<string, OddWord> | undefined;
}

export const NO_ODD_CELLS: OddCells = { count: 0, firstLine: undefined, words: new Map() };

export class OddCellCounter implements OddCells {
  count = 0;
  firstLine: number | undefined;
  words: Map<string, OddWord> | undefined = new Map();

  take(text: string, line: number): void {
    this.count++;
    this.firstLine ??= line;
    if (this.words === undefined) return;
    const { count, firstLine } = this.words.get(text) ?? { count: 0, firstLine: line };
    this.words.set(text, { count: count + 1, firstLine });
    if (this.words.size > MAX_ODD_WORDS) this.words = undefined;
  }
}

const MAX_SHOWN = 3;

/** `"ERR" (1 cell, first in line 702), "-" (2 cells, first in line 31)`. */
export function oddCellsText({ words = new Map() }: OddCells): string {
  const shown = [...words]
    .slice(0, MAX_SHOWN)
    .map(
      ([text, { count, firstLine }]) =>
        `${JSON.stringify(text.slice(0, 40))} (${count === 1 ? "1 cell" : `${count.toLocaleString("en-US")} cells`}, first in line ${firstLine})`,
    );
  const more = words.size - shown.length;
  return `${shown.join(", ")}${more > 0 ? ` and ${more} other words` : ""}`;
}
