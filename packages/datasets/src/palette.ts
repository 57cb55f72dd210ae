/** Colors of the report's pictures. */
export type Rgb = readonly [number, number, number];

/**
 * Class 0 (background) and ten item classes. Paul Tol's "muted" scheme, told apart with any of the common color-vision
 * deficiencies (personal.sron.nl/~pault), with one more blue.
 */
export const CLASS_COLORS: readonly Rgb[] = [
  [24, 26, 32],
  [204, 102, 119],
  [51, 34, 136],
  [221, 204, 119],
  [17, 119, 51],
  [136, 204, 238],
  [136, 34, 85],
  [68, 170, 153],
  [153, 153, 51],
  [221, 221, 221],
  [170, 68, 153],
];

/** Background, upper, middle and lower third: Okabe and Ito's orange, sky blue and bluish green. */
export const PART_COLORS: readonly Rgb[] = [
  [24, 26, 32],
  [230, 159, 0],
  [86, 180, 233],
  [0, 158, 115],
];

/** Every eighth color of matplotlib's viridis (Nathaniel Smith, Stefan van der Walt; CC0), dark to light. */
const VIRIDIS: readonly Rgb[] = [
  [68, 1, 84],
  [71, 44, 122],
  [59, 81, 139],
  [44, 113, 142],
  [33, 144, 141],
  [39, 173, 129],
  [92, 200, 99],
  [170, 220, 50],
  [253, 231, 37],
];

/** The color for `t` from 0 to 1 (clamped; not a number counts as 0). */
export function viridis(t: number): Rgb {
  const last = VIRIDIS.length - 1;
  const position = t > 0 ? Math.min(1, t) * last : 0;
  const low = Math.min(last - 1, Math.floor(position));
  const part = position - low;
  const from = VIRIDIS[low];
  const to = VIRIDIS[low + 1];
  return [mix(from[0], to[0], part), mix(from[1], to[1], part), mix(from[2], to[2], part)];
}

function mix(from: number, to: number, part: number): number {
  return Math.round(from + part * (to - from));
}
