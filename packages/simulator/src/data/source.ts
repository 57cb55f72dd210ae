/** Where sites' examples come from: the one place that knows what kind of data a scenario is about. */
import type { DenseExamples } from "@kumiai/datasets";
import type { ClientConfig, Scenario } from "../config/scenario.js";
import type { Examples } from "../examples.js";
import type { ModelSpec } from "../model.js";
import { openSceneSource } from "./scenes.js";
import { openSeriesSource } from "./series.js";

export interface SiteExamples {
  readonly train: Examples;
  /** Nobody trains on them. */
  readonly test: Examples;
  /** `test` again, where it can be drawn. */
  readonly scenes?: DenseExamples;
}

export interface ExampleCounts {
  readonly train: number;
  readonly test: number;
  /** Labels of the training examples, all tasks together: an example may lack the label of a task. */
  readonly trainLabels: number;
}

/** What sites train. */
export interface SiteModels {
  /** Of a site: the same for every seed. */
  modelOf(client: ClientConfig): ModelSpec;
  /** A model with one task, whose encoder and decoder everybody starts from. */
  readonly reference: ModelSpec;
}

export interface DataSource extends SiteModels {
  /** Examples for one seed. */
  examplesOf(client: ClientConfig, seed: number): SiteExamples;
  /** How many examples `examplesOf` gives. */
  countsOf(client: ClientConfig, seed: number): ExampleCounts;
  /** Of all that was read, whatever it is called and wherever it lies. Takes up to a second. */
  contentHash(): string;
}

export interface OpenDataOptions {
  /** Folder for what is worth keeping from run to run. */
  readonly cacheDir: string;
  /** Folder with one folder for each public data set. */
  readonly dataDir: string;
  readonly onNotice?: ((message: string) => void) | undefined;
}

/** Throws INVALID_CONFIG if with one of the seeds a site is left without examples, or with fewer than it asks for. */
export function checkExamples(data: DataSource, { clients }: Scenario, seeds: readonly number[]): void {
  for (const seed of seeds) for (const client of clients) data.countsOf(client, seed);
}

/**
 * Reads the data of a scenario for nothing but its complaints: those of `openData` and `checkExamples`. Scenes are made in any number, so
 * nothing is read of them.
 */
export async function checkData(
  scenario: Scenario,
  seeds: readonly number[],
  options: Omit<OpenDataOptions, "onNotice">,
): Promise<void> {
  if (scenario.data.kind !== "scenes") checkExamples(await openData(scenario, options), scenario, seeds);
}

/** Reads what all sites share, once. Throws DATA_PACKAGE_MISSING, DATA_MALFORMED or WRITE_FAILED. */
export function openData(scenario: Scenario, options: OpenDataOptions): Promise<DataSource> {
  return scenario.data.kind === "scenes" ? openSceneSource(scenario, options) : openSeriesSource(scenario, options);
}
