/** What the numbers look like: the same test scenes as input, truth, predicted alone and predicted together. */
import { encode } from "fast-png";
import type { PictureSet } from "../../result.js";
import { type Html, html } from "../html.js";
import { KIND_NOTES, type ReportStrategy, type ReportView } from "../view.js";
import { scrollBox } from "./parts.js";

/** More scenes than this per task would make the file heavy and add little. */
const MAX_SCENES = 3;

export function picturesSection(view: ReportView): Html {
  const columns = [view.baseline, view.focus].flatMap((strategy) => strategy ?? []);
  const sets = view.pictures.filter(({ scenes }) => scenes.length > 0);
  if (sets.length === 0) {
    return html`<section id="pictures"><h2>Pictures</h2><p>No pictures were recorded.</p></section>`;
  }
  const together = view.focus === null ? null : ` Together: ${view.focus.label}${KIND_NOTES[view.focus.kind]}.`;
  return html`<section id="pictures"><h2>Pictures</h2>
<p class="small soft">Test scenes that no training has seen; each row is one scene.${together} A few scenes illustrate, they prove nothing: the tables above are the evidence.</p>
${sitesOf(sets).map(
  (client) =>
    html`<h3>${client}</h3><div class="picture-grid">${sets
      .filter((set) => set.client === client)
      .map((set) => pictureTable(view, set, columns))}</div>`,
)}</section>`;
}

function sitesOf(sets: readonly PictureSet[]): readonly string[] {
  return [...new Set(sets.map(({ client }) => client))];
}

function pictureTable(view: ReportView, set: PictureSet, columns: readonly ReportStrategy[]): Html {
  const task = view.tasks.find(({ client, task: { id } }) => client === set.client && id === set.task);
  const name = `${set.task}${task === undefined ? "" : ` (${task.task.metric})`}`;
  const table = html`<table class="pictures"><caption><b>${name}</b></caption><thead><tr><th scope="col">Input</th><th scope="col">Truth</th>${columns.map(
    ({ label, kind }) => html`<th scope="col">${kind === "baseline" ? "Alone" : `Together: ${label}`}</th>`,
  )}</tr></thead><tbody>${set.scenes.slice(0, MAX_SCENES).map((scene, index) => {
    const what = (kind: string) => `${set.client}, ${set.task}, scene ${index + 1}: ${kind}`;
    return html`<tr><td>${picture(set, scene.input, what("input"))}</td><td>${picture(set, scene.truth, what("truth"))}</td>${columns.map(
      ({ name: strategy, label }) =>
        html`<td>${picture(set, scene.predictions[strategy], what(`predicted by ${label}`))}</td>`,
    )}</tr>`;
  })}</tbody></table>`;
  return scrollBox(`Pictures of ${set.client}, ${set.task}`, table);
}

function picture({ width, height }: PictureSet, pixels: Uint8Array | undefined, alt: string): Html {
  if (pixels === undefined || pixels.length !== 3 * width * height) {
    return html`<span class="none" role="img" aria-label="${alt}: not recorded">not recorded</span>`;
  }
  const png = encode({ width, height, data: pixels, channels: 3, depth: 8 }, { zlib: { level: 9 } });
  const source = `data:image/png;base64,${Buffer.from(png).toString("base64")}`;
  return html`<img src="${source}" alt="${alt}" width="${width}" height="${height}">`;
}
