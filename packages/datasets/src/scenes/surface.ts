/** Height, normals and depth of a whole scene, from its background and its items. */
import { type Arrangement, forEachInside, type PlacedItem } from "./arrange.js";
import type { Background } from "./background.js";
import { smoothInPlace } from "./noise.js";

/** How much nearer (in depths) one pixel of height brings a point of an item. */
const DEPTH_PER_HEIGHT = 0.012;

export interface Surface {
  /** [3, size, size] unit vectors: x to the right, y down, z to the viewer. */
  readonly normals: Float32Array;
  /** [size, size]: 0 near, about 1 on the background. */
  readonly depth: Float32Array;
}

export function surfaceOf(scene: Arrangement, background: Background, size: number): Surface {
  const height = background.height.slice();
  const depth = background.depth.slice();
  scene.items.forEach((item, k) => {
    const ground = background.height[centerOf(item, size)];
    forEachInside(item, size, (pixel, inBox) => {
      if (scene.owner[pixel] !== k + 1) return;
      height[pixel] = ground + item.relief[inBox];
      depth[pixel] = item.depth - DEPTH_PER_HEIGHT * (item.relief[inBox] - item.side / 14);
    });
  });
  smoothInPlace(height, size, size, 2);
  return { normals: normalsOf(height, size), depth };
}

/** The scene's pixel in the middle of the item's box, or the nearest one to it. */
function centerOf(item: PlacedItem, size: number): number {
  const clamp = (value: number): number => Math.min(size - 1, Math.max(0, value));
  return clamp(item.top + (item.side >> 1)) * size + clamp(item.left + (item.side >> 1));
}

/** n = (−∂h/∂x, −∂h/∂y, 1), normalized; central differences, one-sided at the border. */
function normalsOf(height: Float32Array, size: number): Float32Array {
  const pixels = size * size;
  const normals = new Float32Array(3 * pixels);
  for (let y = 0; y < size; y++) {
    const up = Math.max(0, y - 1);
    const down = Math.min(size - 1, y + 1);
    for (let x = 0; x < size; x++) {
      const before = Math.max(0, x - 1);
      const after = Math.min(size - 1, x + 1);
      const at = y * size + x;
      const slopeX = (height[y * size + after] - height[y * size + before]) / (after - before);
      const slopeY = (height[down * size + x] - height[up * size + x]) / (down - up);
      const norm = 1 / Math.sqrt(1 + slopeX * slopeX + slopeY * slopeY);
      normals[at] = -slopeX * norm;
      normals[pixels + at] = -slopeY * norm;
      normals[2 * pixels + at] = norm;
    }
  }
  return normals;
}
