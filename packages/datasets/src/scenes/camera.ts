/**
 * A site's camera and light (domain shift): what it does to every picture of the site; labels stay as they are.
 *
 * Notation — code name, symbol, range of what is drawn:
 *   strength  s        0 (nothing) to 1
 *   softness  β        0 to 1         part of the picture that is blurred
 *   gamma     γ        1/1.6 to 1.6   tone curve; never near 1
 *   gains     g [3]    exp(e + t_c)   exposure e, and tint t, which sums to 0; they multiply the odds v/(1 − v) of a channel
 *   grain     ν        0 to 0.06      standard deviation of the pixel noise
 *
 * For a channel v from 0 to 1, with B two passes of the binomial kernel 1-2-1, and n noise of variance 1:
 *
 *   u  = ((1 − sβ)·v + sβ·B(v))^(γ^s)
 *   v′ = clip( g_c^s·u / (1 + (g_c^s − 1)·u) + s·ν·n,  0, 1 )
 *
 * s = 0 gives v. Neither curve leaves [0, 1], so light and tone wash nothing out: what is lost, blur and noise take. Drawn per camera:
 * β uniform in [0, 1]; ln γ = ±ln 1.6·w and e = ±0.7·w with random signs and w uniform in [1/2, 1], so that s alone tells how far a site
 * is from a neutral camera; t_c = 0.5·cos(2π(h + c/3)) with the hue h uniform in turns; ν uniform in [0, 0.06].
 */
import { KumiaiError, type Rng } from "@kumiai/params";
import { createPixelNoise, smoothInPlace } from "./noise.js";
import { channelOf, levelOf } from "./paint.js";

export interface Camera {
  readonly strength: number;
  readonly softness: number;
  readonly gamma: number;
  readonly gains: readonly [number, number, number];
  readonly grain: number;
}

const HIGHEST_LOG_GAMMA = Math.log(1.6);
const HIGHEST_EXPOSURE = 0.7;
const TINT = 0.5;
const HIGHEST_GRAIN = 0.06;
const BLUR_PASSES = 2;

/** The camera of one site; all of it but `strength` depends on `rng` alone. Throws INVALID_CONFIG unless `strength` is 0 to 1. */
export function drawCamera(strength: number, rng: Rng): Camera {
  if (!(strength >= 0 && strength <= 1)) {
    throw new KumiaiError("INVALID_CONFIG", `strength: expected a number from 0 to 1, received ${strength}`);
  }
  const signed = (highest: number): number => (rng.uniform() < 0.5 ? -highest : highest) * (0.5 + 0.5 * rng.uniform());
  const softness = rng.uniform();
  const gamma = Math.exp(signed(HIGHEST_LOG_GAMMA));
  const exposure = signed(HIGHEST_EXPOSURE);
  const hue = rng.uniform();
  const gain = (channel: number): number => Math.exp(exposure + TINT * Math.cos(2 * Math.PI * (hue + channel / 3)));
  return { strength, softness, gamma, gains: [gain(0), gain(1), gain(2)], grain: HIGHEST_GRAIN * rng.uniform() };
}

/** Takes the picture `image` [3, size, size], as `paintInto` wrote it, through the camera, in place. Strength 0 touches nothing. */
export function photographInPlace(image: Float32Array, size: number, camera: Camera, rng: Rng): void {
  const { strength, softness, gamma, gains, grain } = camera;
  if (strength === 0) return;
  const pixels = size * size;
  const soft = strength * softness;
  const power = gamma ** strength;
  const noise = createPixelNoise(rng);
  for (let c = 0; c < 3; c++) {
    const plane = image.subarray(c * pixels, (c + 1) * pixels);
    for (let i = 0; i < pixels; i++) plane[i] = channelOf(plane[i]);
    const blurred = plane.slice();
    smoothInPlace(blurred, size, size, BLUR_PASSES);
    const gain = gains[c] ** strength;
    for (let i = 0; i < pixels; i++) {
      // As f32, a channel may be a little outside.
      const seen = Math.min(1, Math.max(0, (1 - soft) * plane[i] + soft * blurred[i]));
      const toned = seen ** power;
      const value = (gain * toned) / (1 + (gain - 1) * toned) + strength * grain * noise.next();
      plane[i] = levelOf(Math.min(1, Math.max(0, value)));
    }
  }
}
