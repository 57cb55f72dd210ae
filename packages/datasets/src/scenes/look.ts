import type { Rng } from "@kumiai/params";
import type { SceneDomain } from "../types.js";

/** A color, red, green and blue from 0 to 1. */
export type Color = readonly [number, number, number];

/** What sets the scenes of one domain apart from those of the other. */
export interface DomainLook {
  /** A source pixel this bright (of 255) belongs to the item. */
  readonly maskThreshold: number;
  /** Dark spots of up to this many source pixels inside an item belong to it; larger ones are holes. */
  readonly largestSpot: number;
  /** Side of an item's box at depth 0 and at depth 1, as a part of the scene's side. */
  readonly nearSide: number;
  readonly farSide: number;
  /** Height of an item's middle over its rim, in source pixels. */
  readonly bulge: number;
  /** Height that full brightness adds, in source pixels. */
  readonly brightnessRelief: number;
  /** What distance fades into, and how much of it there is at depth 1. */
  readonly haze: Color;
  readonly hazeAmount: number;
  /** Standard deviation of the pixel noise; colors are 0 to 1. */
  readonly noise: number;
  /** Range of the tints' saturation. */
  readonly saturation: readonly [number, number];
}

export const DOMAIN_LOOKS: Readonly<Record<SceneDomain, DomainLook>> = {
  garments: {
    maskThreshold: 12,
    largestSpot: 24,
    nearSide: 0.53,
    farSide: 0.25,
    bulge: 3.2,
    brightnessRelief: 2.6,
    haze: [0.82, 0.75, 0.64],
    hazeAmount: 0.38,
    noise: 0.025,
    saturation: [0.3, 0.8],
  },
  digits: {
    maskThreshold: 70,
    largestSpot: 2,
    nearSide: 0.68,
    farSide: 0.38,
    bulge: 2.2,
    brightnessRelief: 1.6,
    haze: [0.46, 0.55, 0.66],
    hazeAmount: 0.42,
    noise: 0.03,
    saturation: [0.45, 0.95],
  },
};

/** Color of a hue in turns, with saturation and value from 0 to 1. */
export function colorOf(hue: number, saturation: number, value: number): Color {
  const channel = (offset: number): number => {
    const position = (((offset + 6 * hue) % 6) + 6) % 6;
    return value * (1 - saturation * Math.max(0, Math.min(position, 4 - position, 1)));
  };
  return [channel(5), channel(3), channel(1)];
}

export function drawTint(look: DomainLook, rng: Rng): Color {
  const [low, high] = look.saturation;
  return colorOf(rng.uniform(), low + (high - low) * rng.uniform(), 0.8 + 0.2 * rng.uniform());
}
