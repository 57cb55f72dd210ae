/**
 * Draws scenes of both domains with all their labels into one PNG, to look at after a change of the composer.
 *
 *   node packages/datasets/scripts/contact-sheet.mjs FILE.png [seed] [scenes of each domain]
 *
 * Columns: image, then the tasks in the order of SCENE_TASKS. Needs a build.
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { crc32, deflateSync } from "node:zlib";
import { composeScenes, labelPlanes, loadItems, renderImage, renderLabel, SCENE_TASKS } from "@kumiai/datasets";
import { createRng } from "@kumiai/params";

const SIDE = 64;
const ZOOM = 2;
const CELL = SIDE * ZOOM + 4;

const [file = "scenes.png", seed = "9", count = "3"] = process.argv.slice(2);
const cacheDir = fileURLToPath(new URL("../../../.cache/kumiai", import.meta.url));
const items = await loadItems({ cacheDir, onNotice: console.log });

const rows = ["garments", "digits"].flatMap((domain) => {
  const tasks = SCENE_TASKS.map((task) => task.id);
  const scenes = composeScenes({ items, domain, split: "test", rng: createRng(seed), count: Number(count), tasks });
  return Array.from({ length: scenes.count }, (_, i) => [
    renderImage(scenes, i),
    ...SCENE_TASKS.map((task) => {
      const stride = labelPlanes(task.label) * SIDE * SIDE;
      return renderLabel(task, scenes.labels.get(task.id).subarray(i * stride, (i + 1) * stride), SIDE, SIDE);
    }),
  ]);
});
writeFileSync(file, pngOf(rows));
console.log(`${file}: image, ${SCENE_TASKS.map((task) => task.id).join(", ")}`);

function pngOf(grid) {
  const width = grid[0].length * CELL;
  const height = grid.length * CELL;
  const lines = Buffer.alloc(height * (1 + 3 * width), 255);
  for (let y = 0; y < height; y++) lines[y * (1 + 3 * width)] = 0;
  grid.forEach((pictures, row) => {
    pictures.forEach((picture, column) => {
      for (let y = 0; y < SIDE * ZOOM; y++) {
        for (let x = 0; x < SIDE * ZOOM; x++) {
          const from = 3 * (Math.floor(y / ZOOM) * SIDE + Math.floor(x / ZOOM));
          const to = (row * CELL + y) * (1 + 3 * width) + 1 + 3 * (column * CELL + x);
          lines.set(picture.subarray(from, from + 3), to);
        }
      }
    });
  });
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8); // 8 bits, RGB
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
  const body = deflateSync(lines, { level: 9 });
  return Buffer.concat([signature, chunk("IHDR", header), chunk("IDAT", body), chunk("IEND", Buffer.alloc(0))]);
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  out.set(body, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}
