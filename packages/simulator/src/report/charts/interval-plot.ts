/** Means with their intervals on one horizontal scale that holds zero, inside table cells: who gains, and how surely. */
import { formatGain, formatInterval } from "../format.js";
import { escapeHtml, type Html, raw } from "../html.js";
import type { Spread } from "../statistics.js";
import type { DotScale } from "./dot-strip.js";

const WIDTH = 190;
const HEIGHT = 20;
const MARGIN = 6;

/** A scale that holds all means, intervals and zero. */
export function intervalScale(spreads: readonly (Spread | null)[]): DotScale {
  const values = spreads.flatMap((spread) => (spread === null ? [] : [spread.mean, ...(spread.interval95 ?? [])]));
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values);
  return low === high ? { low: -1, high: 1 } : { low, high };
}

/** Blue where the mean is above zero, orange below; filled where the interval does not hold zero. */
export function drawInterval(spread: Spread | null, { low, high }: DotScale): Html | null {
  if (spread === null) return null;
  const { mean, interval95 } = spread;
  const x = (value: number) => (MARGIN + ((value - low) / (high - low)) * (WIDTH - 2 * MARGIN)).toFixed(1);
  const color = `rgb(var(--${mean < 0 ? "down" : "up"}))`;
  const isSettled = interval95 !== null && (interval95[0] > 0 || interval95[1] < 0);
  const label = `${formatGain(mean)}${interval95 === null ? "" : `, ${formatInterval(interval95)}`}`;
  const bar =
    interval95 === null
      ? ""
      : `<path d="M${x(interval95[0])} 10H${x(interval95[1])}" stroke="${color}" stroke-width="2"/>`;
  return raw(
    `<svg width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(label)}">` +
      `<path d="M${x(0)} 0V${HEIGHT}" stroke="var(--soft)" stroke-dasharray="2 2"/>${bar}<circle cx="${x(mean)}" cy="10" r="4.2" fill="${isSettled ? color : "var(--bg)"}" stroke="${color}" stroke-width="2"/></svg>`,
  );
}
