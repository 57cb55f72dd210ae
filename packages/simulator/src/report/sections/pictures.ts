/** What the numbers look like: the same test scenes as input, truth, predicted alone and predicted together. */
import { encode } from "fast-png";
import type { PictureSet } from "../../result.js";
import { formatMetric, isNumber } from "../format.js";
import { type Html, html } from "../html.js";
import type { ReportStrategy, ReportTask, ReportView } from "../view.js";
import { scrollBox } from "./parts.js";

/** More scenes than this per task would make the file heavy and add little. */
const MAX_SCENES = 3;

/** How to read the colors of the tasks we know. */
const HINTS: ReadonlyMap<string, string> = new Map([
  ["semseg", "one color per class"],
  ["parts", "one color per part"],
  ["edge", "white is edge, gray unsure"],
  ["saliency", "white is the nearest item, gray unsure"],
  ["normals", "the color is the direction of the surface"],
  ["depth", "light is near, dark is far"],
]);

export function picturesSection(view: ReportView): Html {
  const columns = [view.baseline, view.focus].flatMap((strategy) => strategy ?? []);
  const sets = view.pictures.filter(({ scenes }) => scenes.length > 0);
  if (sets.length === 0) {
    return html`<section id="pictures"><h2>Pictures</h2><p>No pictures were recorded.</p></section>`;
  }
  return html`<section id="pictures"><h2>Pictures</h2>
<p class="small soft">${intro(view)}</p>
${sitesOf(sets).map(
  (client) =>
    html`<h3>${client}</h3><div class="picture-grid">${sets
      .filter((set) => set.client === client)
      .map((set) => pictureTable(view, set, columns))}</div>`,
)}</section>`;
}

function intro(view: ReportView): string {
  const seed = view.result.seeds[0];
  const scenes = `The first test scenes of each site${seed === undefined ? "" : ` with seed ${seed}`}, not chosen ones; each row is one scene.`;
  const alone = view.baseline === null ? "" : " Alone: the model that the site trained by itself.";
  const together = view.focus === null ? "" : ` Together: the model that ${view.focus.label} made for this site.`;
  const score = " Below a column's name: the score on all test scenes with that seed.";
  return `${scenes}${alone}${together} A few scenes illustrate, they prove nothing: the numbers are in the tables above.${score}`;
}

function sitesOf(sets: readonly PictureSet[]): readonly string[] {
  return [...new Set(sets.map(({ client }) => client))];
}

function pictureTable(view: ReportView, set: PictureSet, columns: readonly ReportStrategy[]): Html {
  const task = view.tasks.find(({ client, task: { id } }) => client === set.client && id === set.task);
  const hint = HINTS.get(set.task);
  const table = html`<table class="pictures"><thead><tr><th scope="col">Input</th><th scope="col">Truth</th>${columns.map(
    (strategy) =>
      html`<th scope="col">${strategy.kind === "baseline" ? "Alone" : `Together: ${strategy.label}`}<span class="sub">${scoreOf(view, strategy, task)}</span></th>`,
  )}</tr></thead><tbody>${set.scenes.slice(0, MAX_SCENES).map((scene, index) => {
    const what = (kind: string) => `${set.client}, ${set.task}, scene ${index + 1}: ${kind}`;
    return html`<tr><td>${picture(set, scene.input, what("input"))}</td><td>${picture(set, scene.truth, what("truth"))}</td>${columns.map(
      ({ name: strategy, label }) =>
        html`<td>${picture(set, scene.predictions[strategy], what(`predicted by ${label}`))}</td>`,
    )}</tr>`;
  })}</tbody></table>`;
  return html`<figure class="table"><figcaption><b>${set.task}</b>${task === undefined ? "" : ` · ${task.task.metric}`}${hint === undefined ? "" : ` · ${hint}`}</figcaption>${scrollBox(`Pictures of ${set.client}, ${set.task}`, table)}</figure>`;
}

/** Test value of the first seed, which is the one the pictures are of. */
function scoreOf(view: ReportView, { result }: ReportStrategy, task: ReportTask | undefined): string {
  if (task === undefined) return "";
  const { id, unit } = task.task;
  const value = result.perSeed[String(view.result.seeds[0])]?.clients[task.client]?.tasks[id]?.value;
  return isNumber(value) ? `${formatMetric(value, unit)}${unit === "%" ? "\u00a0%" : unit}` : "";
}

function picture({ width, height }: PictureSet, pixels: Uint8Array | undefined, alt: string): Html {
  if (pixels === undefined || pixels.length !== 3 * width * height) {
    return html`<span class="none" role="img" aria-label="${alt}: not recorded">not recorded</span>`;
  }
  const png = encode({ width, height, data: pixels, channels: 3, depth: 8 }, { zlib: { level: 9 } });
  const source = `data:image/png;base64,${Buffer.from(png).toString("base64")}`;
  return html`<img src="${source}" alt="${alt}" width="${width}" height="${height}">`;
}
