import type { Rng } from "@kumiai/params";
import type { SceneDomain } from "../types.js";

/** A color, red, green and blue from 0 to 1. */
export type Color = readonly [number, number, number];

/** What sets the scenes of one domain apart from those of the other. */
export interface DomainLook {
  /** A source pixel this bright (of 255) belongs to the item. */
  readonly maskThreshold: number;
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
    nearSide: 0.62,
    farSide: 0.32,
    bulge: 4.2,
    brightnessRelief: 3,
    haze: [0.8, 0.74, 0.66],
    hazeAmount: 0.5,
    noise: 0.022,
    saturation: [0.25, 0.75],
  },
  digits: {
    maskThreshold: 70,
    nearSide: 0.72,
    farSide: 0.42,
    bulge: 3,
    brightnessRelief: 2.2,
    haze: [0.55, 0.62, 0.7],
    hazeAmount: 0.55,
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
