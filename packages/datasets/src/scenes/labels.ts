/** The labels of a scene, exact because the scene was made from them. */
import type { Arrangement, PlacedItem } from "./arrange.js";
import type { Surface } from "./surface.js";

/** Labels are (depth − mean)·scale: about zero mean, and a constant prediction has an RMSE of 0.66 on digits. */
const DEPTH_MEAN = 0.9;
const DEPTH_SCALE = 2.8;

export interface SceneParts {
  readonly scene: Arrangement;
  readonly surface: Surface;
  readonly size: number;
}

type LabelWriter = (parts: SceneParts, out: Uint8Array | Float32Array) => void;

/** Writes one task's labels [planes, size, size] into `out`, by task id. */
export const LABEL_WRITERS: Readonly<Record<string, LabelWriter>> = {
  /** 0 on the background, 1 + item class on an item. */
  semseg({ scene }, out) {
    const classes = [0, ...scene.items.map((item) => item.itemClass + 1)];
    for (let i = 0; i < out.length; i++) out[i] = classes[scene.owner[i]];
  },

  /** 0 on the background; 1, 2, 3 on the upper, middle, lower third of the item's whole extent, seen or not. */
  parts({ scene, size }, out) {
    for (let i = 0; i < out.length; i++) {
      const item: PlacedItem | undefined = scene.items[scene.owner[i] - 1];
      if (item === undefined) {
        out[i] = 0;
        continue;
      }
      const row = Math.floor(i / size) - item.top - item.firstRow;
      const extent = item.lastRow - item.firstRow + 1;
      out[i] = 1 + Math.min(2, Math.floor((3 * row) / extent));
    }
  },

  /** 1 on both sides of every line between two owners, so boundaries are two pixels wide. */
  edge({ scene, size }, out) {
    const { owner } = scene;
    out.fill(0);
    for (let i = 0; i < out.length; i++) {
      if (i % size < size - 1 && owner[i] !== owner[i + 1]) out[i] = out[i + 1] = 1;
      if (i + size < out.length && owner[i] !== owner[i + size]) out[i] = out[i + size] = 1;
    }
  },

  saliency({ scene }, out) {
    for (let i = 0; i < out.length; i++) out[i] = scene.owner[i] === 1 ? 1 : 0;
  },

  depth({ surface }, out) {
    for (let i = 0; i < out.length; i++) out[i] = (surface.depth[i] - DEPTH_MEAN) * DEPTH_SCALE;
  },

  normals({ surface }, out) {
    out.set(surface.normals);
  },
};
