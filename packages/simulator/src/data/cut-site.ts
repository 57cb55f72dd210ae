/** Which windows a site of sensor series trains on and is tested on. All sites of a table share its split, which is drawn from the seed. */
import {
  labeledWindows,
  NO_SIDE,
  type OnNotice,
  type SeriesSplit,
  type SiteSeries,
  selectWindows,
  siteSeries,
  splitByBlocks,
  splitByUnits,
  TEST_SIDE,
  TRAIN_SIDE,
  type WindowSet,
} from "@kumiai/datasets";
import { createRng } from "@kumiai/params";
import { locating, refuse } from "../config/issues.js";
import type { ConfigPath } from "../config/located.js";
import type { ClientConfig, Scenario, SeriesConfig } from "../config/scenario.js";

export interface Cut {
  readonly scenario: Scenario;
  readonly data: SeriesConfig;
  readonly seed: number;
  readonly notice: OnNotice;
}

/** The windows of one site for one seed. Throws INVALID_CONFIG with the place. */
export function cutSite(windows: WindowSet, client: ClientConfig, { scenario, data, seed, notice }: Cut): SiteSeries {
  const rng = createRng(seed).split("split");
  const { testShare } = data.split;
  // Engines are independent of each other, moments of one engine are not.
  const split = locating(scenario, ["data", "split"], () =>
    data.kind === "cmapss" ? splitByUnits(windows, { testShare, rng }) : splitByBlocks(windows, { ...data.split, rng }),
  );
  const { sensors, where = {}, period: [from, to] = [0, 1], blocks = null, units } = client.series ?? {};
  const part = data.kind === "cmapss" ? { units: { from, to } } : { time: { from, to }, ...(units && { units }) };
  const selection = { where, ...part };
  const selected = selectWindows(windows, selection);
  const side = ownBlocks(split, blocks);
  const path = ["clients", scenario.clients.findIndex(({ id }) => id === client.id)];
  const training = selected.filter((w) => side.side[w] === TRAIN_SIDE);
  const taken: SiteWindows = {
    client,
    seed,
    count: selected.length,
    training,
    labeled: labeledWindows(windows, client.tasks, training),
    testCount: selected.filter((w) => side.side[w] === TEST_SIDE).length,
  };
  checkCounts(scenario, path, taken);
  const own = limitTraining(side, taken);
  const options = {
    ...selection,
    tasks: client.tasks,
    ...(sensors === null || sensors === undefined ? {} : { channels: sensors }),
  };
  const tell = (message: string): void => notice(`client ${client.id}: ${message}`);
  return locating(scenario, path, () => siteSeries(windows, own, options, tell));
}

/** Windows that a client takes of its table. */
interface SiteWindows {
  readonly client: ClientConfig;
  readonly seed: number;
  /** On any side. */
  readonly count: number;
  readonly training: readonly number[];
  /** Of the training windows, those with a label. */
  readonly labeled: readonly number[];
  readonly testCount: number;
}

/** Whether a client is left with windows of either side, and with as many as it asks for. */
function checkCounts(scenario: Scenario, path: ConfigPath, site: SiteWindows): void {
  const { client, seed, count, training, labeled, testCount } = site;
  for (const [name, found] of [
    ["training", training.length],
    ["test", testCount],
  ] as const) {
    if (found > 0) continue;
    refuse(scenario, "INVALID_CONFIG", {
      path,
      expected: `at least one ${name} window among the ${count} that client ${client.id} takes, with seed ${seed}`,
      received: 0,
      advice: "widen its where, period, units or blocks, or make data.split.blockLength or the windows shorter",
    });
  }
  const { trainCount, tasks } = client;
  const present = labeled.length;
  if (present === 0) {
    refuse(scenario, "INVALID_CONFIG", {
      path: [...path, "tasks"],
      expected: `a label in some of the ${training.length} training windows that client ${client.id} has with seed ${seed}`,
      received: tasks,
      advice: "select other windows, or leave these tasks out",
    });
  }
  if (trainCount === Number.POSITIVE_INFINITY || trainCount <= present) return;
  refuse(scenario, "INVALID_CONFIG", {
    path: [...path, "trainCount"],
    expected: `at most the ${present} training windows with a label that client ${client.id} has with seed ${seed}`,
    received: trainCount,
    advice: "lower it, or leave it out to take all there are",
  });
}

/** Training blocks are dealt out to plants; test blocks are for all whose regime they lie in. */
function ownBlocks(split: SeriesSplit, blocks: readonly [number, number] | null): SeriesSplit {
  if (blocks === null) return split;
  const [take, of] = blocks;
  const isOwn = (w: number): boolean => (split.block[w] ?? 0) % of === take;
  return { ...split, side: split.side.map((side, w) => (side !== TRAIN_SIDE || isOwn(w) ? side : NO_SIDE)) };
}

/** Trains on windows with a label only, and at most on as many as the client asks for, spread evenly over the time. */
function limitTraining(split: SeriesSplit, { client: { trainCount }, training, labeled }: SiteWindows): SeriesSplit {
  const count = Math.min(trainCount, labeled.length);
  if (count === training.length) return split;
  const side = split.side.slice();
  for (const w of training) side[w] = NO_SIDE;
  for (let i = 0; i < count; i++) side[labeled[Math.floor((i * labeled.length) / count)] ?? 0] = TRAIN_SIDE;
  return { ...split, side };
}
