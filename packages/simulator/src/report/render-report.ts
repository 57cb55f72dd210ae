/**
 * `report.html`: one file that explains a comparison to an engineer and to a manager. It needs no network and no other file:
 * charts are SVG, pictures are PNG data URIs, fonts are the reader's own. Without script all is there but sorting by a click.
 * Same input, same bytes.
 */
import type { ComparisonResult, PictureSet } from "../result.js";
import { decisionSection } from "./decision/index.js";
import { type Html, html, raw } from "./html.js";
import { combinationSection } from "./sections/combination.js";
import { cosinesSection } from "./sections/cosines.js";
import { curvesSection } from "./sections/curves.js";
import { gainTableSection } from "./sections/gain-table.js";
import { hyperWeightsSection } from "./sections/hyper-weights.js";
import { methodSection } from "./sections/method.js";
import { openingSection } from "./sections/opening.js";
import { picturesSection } from "./sections/pictures.js";
import { taskTableSection } from "./sections/task-table.js";
import { trafficSection } from "./sections/traffic.js";
import { SORT_SCRIPT, SORT_SCRIPT_SOURCE } from "./sort-script.js";
import { STYLE } from "./styles.js";
import { makeView, type ReportView } from "./view.js";

export interface ReportInput {
  readonly result: ComparisonResult;
  readonly pictures: readonly PictureSet[];
  /** The command that makes this result again; without it the report guesses one from the scenario's name. */
  readonly command?: string;
  /** What the result was computed with besides Kumiai, e.g. `{ Node: "20.19.5" }`. Shown as given. */
  readonly environment?: Readonly<Record<string, string>>;
}

const CHAPTERS: readonly (readonly [string, string])[] = [
  ["gain", "Gain"],
  ["decision", "Three figures"],
  ["tasks", "Sites and tasks"],
  ["curves", "Learning curves"],
  ["traffic", "Communication"],
  ["cosines", "Update cosines"],
  ["hyper-weights", "Hyper-weights"],
  ["combination", "Combining"],
  ["pictures", "Pictures"],
  ["method", "Method"],
];

/** The whole page as text. Never throws for a result that fits the schema, however little of it was measured. */
export function renderReport(input: ReportInput): string {
  const view = makeView(input);
  const body = [
    gainTableSection(view),
    decisionSection(view),
    taskTableSection(view),
    curvesSection(view),
    trafficSection(view),
    cosinesSection(view),
    hyperWeightsSection(view),
    combinationSection(view),
    picturesSection(view),
    methodSection(view),
  ];
  return `${page(view, body).text}\n`;
}

function page(view: ReportView, body: readonly (Html | null)[]): Html {
  const present = CHAPTERS.filter(([id]) => body.some((part) => part?.text.startsWith(`<section id="${id}"`)));
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src ${raw(SORT_SCRIPT_SOURCE)}">
<title>${view.result.scenario.name}: together or alone – Kumiai report</title><style>${raw(STYLE)}</style></head>
<body><main>${openingSection(view)}
<nav aria-label="Chapters"><ul>${present.map(([id, title]) => html`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>
${body}
</main><script>${raw(SORT_SCRIPT)}</script></body></html>`;
}
