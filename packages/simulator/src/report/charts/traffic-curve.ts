/** Traffic against gain: one point a strategy, on a logarithmic scale of bytes against whole models, with ± one standard deviation. */
import { formatGain, formatNumber } from "../format.js";
import { escapeHtml, type Html, raw } from "../html.js";

export interface TrafficPoint {
  readonly label: string;
  readonly color: string;
  /** Bytes as a share of exchanging whole models, above 0. */
  readonly share: number;
  /** Δ% and its standard deviation over seeds. */
  readonly gain: number;
  readonly std: number | null;
}

const WIDTH = 640;
const HEIGHT = 300;
const LEFT = 48;
const RIGHT = 16;
const TOP = 14;
const BOTTOM = 40;
const TICKS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2];

/** Null with fewer than two points. */
export function drawTrafficCurve(points: readonly TrafficPoint[]): Html | null {
  if (points.length < 2) return null;
  const shares = points.map(({ share }) => share);
  const ends = points.flatMap(({ gain, std }) => [gain - (std ?? 0), gain + (std ?? 0)]);
  const [left, right] = [Math.min(...shares) / 1.4, Math.max(1, ...shares) * 1.4];
  const [low, high] = padded(Math.min(0, ...ends), Math.max(0, ...ends));
  const x = (share: number) => LEFT + (Math.log(share / left) / Math.log(right / left)) * (WIDTH - LEFT - RIGHT);
  const y = (gain: number) => TOP + ((high - gain) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  const ticks = TICKS.filter((tick) => tick >= left && tick <= right).map(
    (tick) =>
      `<path d="M${x(tick).toFixed(1)} ${TOP}V${HEIGHT - BOTTOM}" stroke="var(--faint)"/><text x="${x(tick).toFixed(1)}" y="${HEIGHT - BOTTOM + 15}" text-anchor="middle">${formatNumber(100 * tick, tick < 0.01 ? 1 : 0)} %</text>`,
  );
  const levels = gainTicks(low, high).map(
    (gain) =>
      `<path d="M${LEFT} ${y(gain).toFixed(1)}H${WIDTH - RIGHT}" stroke="var(--${gain === 0 ? "soft" : "faint"})"${gain === 0 ? ' stroke-dasharray="2 2"' : ""}/><text x="${LEFT - 5}" y="${(y(gain) + 4).toFixed(1)}" text-anchor="end">${formatGain(gain, 0)}</text>`,
  );
  const marks = points.map(({ color, share, gain, std }) => {
    const at = x(share).toFixed(1);
    const bar =
      std === null
        ? ""
        : `<path d="M${at} ${y(gain - std).toFixed(1)}V${y(gain + std).toFixed(1)}" stroke="${color}" stroke-width="2"/>`;
    return `${bar}<circle cx="${at}" cy="${y(gain).toFixed(1)}" r="4.5" fill="${color}"/>`;
  });
  const label = points
    .map(
      (point) => `${point.label}: ${formatNumber(100 * point.share, 1)} % of whole models, ${formatGain(point.gain)}`,
    )
    .join("; ");
  return raw(
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(label)}" font-size="11" fill="var(--soft)" style="max-width:${WIDTH}px">${ticks.join("")}${levels.join("")}${marks.join("")}` +
      `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 6}" text-anchor="middle">up + down, of whole models as f32</text></svg>`,
  );
}

function padded(low: number, high: number): readonly [number, number] {
  const room = 0.06 * Math.max(1, high - low);
  return [low - room, high + room];
}

/** Four to eight round numbers. */
function gainTicks(low: number, high: number): readonly number[] {
  const step = [1, 2, 5, 10, 20, 50, 100, 200, 500].find((one) => (high - low) / one <= 8) ?? 1000;
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.max(0, Math.floor(high / step) - first + 1) }, (_, i) => (first + i) * step);
}
