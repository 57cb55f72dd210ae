/**
 * The picture of a scene. Light comes from two fixed sides, a warm key light from the upper left and a cool fill light
 * from the upper right, so that a pixel's colors tell how its surface leans; nearer things cast soft shadows on what is
 * behind them; distance fades into haze.
 */
import type { Rng } from "@kumiai/params";
import { type Arrangement, forEachInside } from "./arrange.js";
import type { Background } from "./background.js";
import type { Color, DomainLook } from "./look.js";
import { createPixelNoise } from "./noise.js";
import type { Surface } from "./surface.js";

interface Light {
  readonly direction: Color;
  readonly color: Color;
}

const KEY_LIGHT: Light = { direction: [-0.62, -0.42, 0.66], color: [0.86, 0.74, 0.56] };
const FILL_LIGHT: Light = { direction: [0.66, -0.3, 0.69], color: [0.3, 0.44, 0.66] };
const AMBIENT = 0.22;
const SHADOW = 0.45;
/** Where the shadow taps look, in pixels: a pixel lies in shadow of what is up and left of it. */
const SHADOW_TAPS: readonly (readonly [number, number])[] = [
  [-2, -1],
  [-1, -2],
  [-2, -3],
  [-3, -2],
  [-3, -4],
  [-4, -3],
];
/** Of the colors (0 to 1) of both domains together; garments come out at 0.26 ± 1.03, digits at −0.23 ± 0.86. */
const PIXEL_MEAN = 0.53;
const PIXEL_STD = 0.15;

/** Writes the picture to `out` [3, size, size], about zero mean and unit variance. */
export function paintInto(
  out: Float32Array,
  parts: { readonly scene: Arrangement; readonly background: Background; readonly surface: Surface },
  look: DomainLook,
  rng: Rng,
): void {
  const { scene, background, surface } = parts;
  const pixels = scene.owner.length;
  const size = Math.sqrt(pixels);
  const albedo = albedoOf(scene, background, size);
  const noise = createPixelNoise(rng);
  const { normals, depth } = surface;
  for (let i = 0; i < pixels; i++) {
    const key = lambert(KEY_LIGHT, normals, i, pixels);
    const fill = lambert(FILL_LIGHT, normals, i, pixels);
    const lit = 1 - SHADOW * shadowAt(scene.owner, i, size);
    const fade = Math.min(1, Math.max(0, look.hazeAmount * depth[i]));
    for (let c = 0; c < 3; c++) {
      const light = AMBIENT + lit * (key * KEY_LIGHT.color[c] + fill * FILL_LIGHT.color[c]);
      const seen = albedo[c * pixels + i] * light;
      const value = seen + fade * (look.haze[c] - seen) + look.noise * noise.next();
      out[c * pixels + i] = levelOf(Math.min(1, Math.max(0, value)));
    }
  }
}

/** A channel from 0 to 1 as pictures hold it. */
export function levelOf(channel: number): number {
  return (channel - PIXEL_MEAN) / PIXEL_STD;
}

/** Undoes `levelOf`: a channel from 0 to 1. */
export function channelOf(value: number): number {
  return value * PIXEL_STD + PIXEL_MEAN;
}

function lambert(light: Light, normals: Float32Array, i: number, pixels: number): number {
  const [x, y, z] = light.direction;
  return Math.max(0, x * normals[i] + y * normals[pixels + i] + z * normals[2 * pixels + i]);
}

function albedoOf(scene: Arrangement, background: Background, size: number): Float32Array {
  const pixels = size * size;
  const albedo = background.albedo.slice();
  scene.items.forEach((item, k) => {
    forEachInside(item, size, (pixel, inBox) => {
      if (scene.owner[pixel] !== k + 1) return;
      const reflectance = 0.25 + 0.85 * item.brightness[inBox];
      for (let c = 0; c < 3; c++) albedo[c * pixels + pixel] = reflectance * item.tint[c];
    });
  });
  return albedo;
}

/** Part of the taps, 0 to 1, that find something nearer than the pixel itself. */
function shadowAt(owner: Uint8Array, i: number, size: number): number {
  const own = owner[i];
  if (own === 1) return 0;
  const x = i % size;
  const y = (i - x) / size;
  let hits = 0;
  for (const [dx, dy] of SHADOW_TAPS) {
    if (x + dx < 0 || y + dy < 0) continue;
    const other = owner[i + dy * size + dx];
    if (other !== 0 && (own === 0 || other < own)) hits++;
  }
  return hits / SHADOW_TAPS.length;
}
