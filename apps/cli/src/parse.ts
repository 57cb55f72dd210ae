/** Parsers of option values. They throw commander's InvalidArgumentError, which becomes INVALID_USAGE. */
import { InvalidArgumentError } from "commander";

const MAX_SEED = 2 ** 31 - 1;

/** `1,2,5-8` → [1, 2, 5, 6, 7, 8]: whole numbers from 0, each once. */
export function parseSeeds(text: string): readonly number[] {
  const seeds = text.split(",").flatMap((part) => {
    const range = /^\s*(\d{1,10})\s*(?:-\s*(\d{1,10}))?\s*$/.exec(part);
    if (range === null) throw new InvalidArgumentError(`Expected seeds like 1,2 or 1-5, received "${text}".`);
    const first = Number(range[1]);
    const last = Number(range[2] ?? range[1]);
    if (last < first || last > MAX_SEED || last - first >= 1000) {
      throw new InvalidArgumentError(
        `"${part.trim()}": expected at most 1,000 seeds from 0 to ${MAX_SEED}, lowest first.`,
      );
    }
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
  if (new Set(seeds).size !== seeds.length) throw new InvalidArgumentError(`"${text}" names a seed twice.`);
  return seeds;
}

export function parseSeed(text: string): number {
  const [seed, ...more] = parseSeeds(text);
  if (seed === undefined || more.length > 0) {
    throw new InvalidArgumentError(`Expected one seed, received "${text}".`);
  }
  return seed;
}

/** `local,fedavg` → ["local", "fedavg"]. Whether they exist is for the simulator to say. */
export function parseNames(text: string): readonly string[] {
  const names = text.split(",").map((name) => name.trim());
  if (names.some((name) => name === "")) {
    throw new InvalidArgumentError(`Expected names separated by commas, received "${text}".`);
  }
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new InvalidArgumentError(`"${twice}" occurs twice.`);
  return names;
}

/** A path; an empty one, as from a variable that is not set, would mean the folder that one is in. */
export function parsePath(text: string): string {
  if (text.trim() === "") throw new InvalidArgumentError("Expected a path, received nothing.");
  return text;
}

/** A whole number of 1 or more. */
export function parseCount(text: string): number {
  const count = /^\d{1,9}$/.test(text.trim()) ? Number(text) : 0;
  if (count < 1) throw new InvalidArgumentError(`Expected a whole number of 1 or more, received "${text}".`);
  return count;
}

/** `16,24,32` → [16, 24, 32]. */
export function parseCounts(text: string): readonly number[] {
  return text.split(",").map(parseCount);
}
