/** One number per seed as dots on a common scale, with the mean as a bar: the spread at a glance, inside a table cell. */
import { formatGain } from "../format.js";
import { escapeHtml, type Html, raw } from "../html.js";
import { meanOf } from "../statistics.js";

export interface DotScale {
  readonly low: number;
  readonly high: number;
}

const WIDTH = 150;
const HEIGHT = 22;
const MARGIN = 6;

/** A scale that holds all values and zero. */
export function dotScale(values: readonly number[]): DotScale {
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values);
  return low === high ? { low: -1, high: 1 } : { low, high };
}

export function drawDotStrip(values: readonly number[], scale: DotScale, color: string): Html {
  const x = (value: number) =>
    (MARGIN + ((value - scale.low) / (scale.high - scale.low)) * (WIDTH - 2 * MARGIN)).toFixed(1);
  const label = values.length === 0 ? "no values" : `Per seed: ${values.map((value) => formatGain(value)).join(", ")}`;
  const dots = values.map((value) => `<circle cx="${x(value)}" cy="11" r="3.6" fill="${color}" fill-opacity=".55"/>`);
  const mean = meanOf(values);
  const bar = mean === null ? "" : `<path d="M${x(mean)} 2V20" stroke="${color}" stroke-width="2.5"/>`;
  return raw(
    `<svg width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(label)}">` +
      `<path d="M${x(0)} 0V${HEIGHT}" stroke="var(--soft)" stroke-dasharray="2 2"/><path d="M${MARGIN} 11H${WIDTH - MARGIN}" stroke="var(--line)"/>${dots.join("")}${bar}</svg>`,
  );
}
