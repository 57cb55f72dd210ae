/** The surface behind the items: woven or striped cloth for garments, clouded concrete for digits. */
import type { Rng } from "@kumiai/params";
import type { SceneDomain } from "../types.js";
import { colorOf } from "./look.js";
import { addValueNoise } from "./noise.js";

export interface Background {
  /** [3, size, size], reflectance 0 to 1. */
  readonly albedo: Float32Array;
  /** [size, size], in pixels. */
  readonly height: Float32Array;
  /** [size, size], about 1: a plane that leans away in a random direction. */
  readonly depth: Float32Array;
}

export function drawBackground(domain: SceneDomain, size: number, rng: Rng): Background {
  const surface = domain === "garments" ? drawCloth(size, rng) : drawConcrete(size, rng);
  return { ...surface, depth: drawPlane(size, rng) };
}

type Surface = Omit<Background, "depth">;

/** Warm cloth: two crossing waves, a broad colored stripe and a fine thread, over gentle folds. */
function drawCloth(size: number, rng: Rng): Surface {
  const pixels = size * size;
  const height = new Float32Array(pixels);
  addValueNoise(height, size, size / 4, 1.45, rng);
  const folds = height.slice();
  const hue = rng.uniform() * 0.22 - 0.06;
  const ground = colorOf(hue, 0.15 + 0.4 * rng.uniform(), 0.5 + 0.4 * rng.uniform());
  const stripe = colorOf(hue + 0.2 * (rng.uniform() - 0.5), 0.15 + 0.5 * rng.uniform(), 0.3 + 0.6 * rng.uniform());
  const angle = Math.PI * rng.uniform();
  const across = [Math.cos(angle), Math.sin(angle)] as const;
  const turns = (2 * Math.PI) / (size * (0.14 + 0.1 * rng.uniform()));
  const threadTurns = (2 * Math.PI) / (size * (0.12 + 0.06 * rng.uniform()));
  const phase = 2 * Math.PI * rng.uniform();
  const albedo = new Float32Array(3 * pixels);
  for (let i = 0; i < pixels; i++) {
    const x = i % size;
    const y = (i - x) / size;
    const wave = Math.sin(turns * (x * across[0] + y * across[1]) + phase);
    const thread = Math.sin(threadTurns * (y * across[0] - x * across[1]) + phase);
    height[i] += 0.24 * wave + 0.12 * thread;
    const mix = 0.5 + 0.5 * wave;
    const shade = 1 + 0.04 * folds[i] + 0.04 * thread;
    for (let c = 0; c < 3; c++) albedo[c * pixels + i] = shade * (ground[c] + mix * (stripe[c] - ground[c]));
  }
  return { albedo, height };
}

/** Cool concrete: clouds of three sizes in relief, stains and a slow change of color. */
function drawConcrete(size: number, rng: Rng): Surface {
  const pixels = size * size;
  const height = new Float32Array(pixels);
  addValueNoise(height, size, size / 3, 2.2, rng);
  addValueNoise(height, size, size / 6, 1.1, rng);
  addValueNoise(height, size, size / 11, 0.35, rng);
  const stains = new Float32Array(pixels);
  addValueNoise(stains, size, size / 2.5, 0.35, rng);
  addValueNoise(stains, size, size / 12, 0.08, rng);
  const light = colorOf(0.52 + 0.16 * rng.uniform(), 0.25 * rng.uniform(), 0.55 + 0.3 * rng.uniform());
  const dark = colorOf(0.5 + 0.25 * rng.uniform(), 0.15 + 0.35 * rng.uniform(), 0.22 + 0.25 * rng.uniform());
  const angle = 2 * Math.PI * rng.uniform();
  const dx = Math.cos(angle) / size;
  const dy = Math.sin(angle) / size;
  const albedo = new Float32Array(3 * pixels);
  for (let i = 0; i < pixels; i++) {
    const x = (i % size) - size / 2;
    const y = Math.floor(i / size) - size / 2;
    const mix = Math.min(1, Math.max(0, 0.5 + 0.6 * (x * dx + y * dy) + stains[i]));
    for (let c = 0; c < 3; c++) albedo[c * pixels + i] = dark[c] + mix * (light[c] - dark[c]);
  }
  return { albedo, height };
}

function drawPlane(size: number, rng: Rng): Float32Array {
  const depth = new Float32Array(size * size);
  const angle = 2 * Math.PI * rng.uniform();
  const slope = (0.36 * rng.uniform()) / size;
  const dx = slope * Math.cos(angle);
  const dy = slope * Math.sin(angle);
  for (let i = 0; i < depth.length; i++) {
    const x = (i % size) - size / 2;
    const y = Math.floor(i / size) - size / 2;
    depth[i] = 1 + dx * x + dy * y;
  }
  return depth;
}
