/** Pieces that several sections share: scrolling boxes, legends, names of strategies, colored gains. */
import { formatGain, formatSigned, isNumber } from "../format.js";
import { type Html, html, raw } from "../html.js";
import { KIND_NOTES, type ReportStrategy } from "../view.js";

/** A table with its caption above; the caption wraps, the table scrolls in its own box. */
export function tableFigure(label: string, caption: string, table: Html): Html {
  return html`<figure class="table"><figcaption>${caption}</figcaption>${scrollBox(label, table)}</figure>`;
}

/** A box in which something wide scrolls, so that the page does not. Reachable by keyboard. */
export function scrollBox(label: string, content: Html): Html {
  return html`<div class="scroll" role="group" aria-label="${label}" tabindex="0">${content}</div>`;
}

export function strategyName({ label, name, kind }: ReportStrategy): Html {
  const note = KIND_NOTES[kind];
  return html`<span title="${name}">${label}</span>${note === "" ? null : html`<span class="sub">${note}</span>`}`;
}

export interface LegendEntry {
  readonly label: string;
  readonly color: string;
  readonly dash: readonly number[];
}

export function legend(entries: readonly LegendEntry[]): Html {
  return html`<ul class="legend">${entries.map(
    ({ label, color, dash }) => html`<li>${swatch(color, dash)}${label}</li>`,
  )}</ul>`;
}

export function strategyLegend(strategies: readonly ReportStrategy[]): Html {
  return legend(strategies);
}

function swatch(color: string, dash: readonly number[]): Html {
  const pattern = dash.length === 0 ? "" : ` stroke-dasharray="${dash.join(" ")}"`;
  return raw(
    `<svg class="swatch" viewBox="0 0 26 10" aria-hidden="true"><path d="M0 5H26" stroke="${color}" stroke-width="2.5"${pattern}/></svg>`,
  );
}

/** Gains of this size, in percent, get the full tint. */
const FULL_TINT_PERCENT = 15;

/** A tint that grows with the size and depends on the sign; the sign itself stands in the text. */
export function gainTint(gain: number | null): Html | null {
  if (!isNumber(gain) || Math.abs(gain) < 0.05) return null;
  return tint(gain, FULL_TINT_PERCENT);
}

/** Inline style for a cell: `--up` for positive, `--down` for negative values. */
export function tint(value: number, full: number): Html {
  const share = Math.sqrt(Math.min(1, Math.abs(value) / full));
  return raw(` style="background:rgba(var(--${value < 0 ? "down" : "up"}),${(0.45 * share).toFixed(2)})"`);
}

/** "+1.2 % ± 0.8". */
export function gainWithStd(mean: number | null, std: number | null): string {
  return isNumber(mean) && isNumber(std)
    ? `${formatGain(mean)} ± ${formatSigned(std, 1).replace("+", "")}`
    : formatGain(mean);
}
