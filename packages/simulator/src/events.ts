/** What a run and a comparison tell while they go on. Events are news for people; results stand in `result.ts`. */

export type RunEvent =
  | { readonly type: "runStarted"; readonly strategy: string; readonly seed: number; readonly roundCount: number }
  | {
      readonly type: "roundStarted";
      readonly strategy: string;
      readonly seed: number;
      readonly round: number;
      readonly roundCount: number;
      readonly present: readonly string[];
      readonly absent: readonly string[];
    }
  | {
      readonly type: "clientTrained";
      readonly strategy: string;
      readonly seed: number;
      readonly round: number;
      readonly client: string;
      /** Sum over its tasks of the mean training loss. */
      readonly loss: number;
      readonly stepCount: number;
      /** Worker time. A pooled round trains all clients in one job: each event carries its share by steps. */
      readonly seconds: number;
    }
  | {
      readonly type: "evaluated";
      readonly strategy: string;
      readonly seed: number;
      readonly round: number;
      /** By client, then task. */
      readonly metrics: Readonly<Record<string, Readonly<Record<string, number>>>>;
    }
  | {
      readonly type: "roundFinished";
      readonly strategy: string;
      readonly seed: number;
      readonly round: number;
      readonly roundCount: number;
      /** Mean over the present clients of `loss`. */
      readonly loss: number;
      readonly seconds: number;
    }
  | { readonly type: "runFinished"; readonly strategy: string; readonly seed: number; readonly seconds: number };

/** Work done and work there is in the whole comparison, counted in optimizer steps: enough to estimate the time left. */
export interface Progress {
  readonly finishedSteps: number;
  readonly totalSteps: number;
  readonly finishedRuns: number;
  readonly totalRuns: number;
}

export type ComparisonEvent =
  | {
      readonly type: "comparisonStarted";
      readonly strategies: readonly string[];
      readonly seeds: readonly number[];
      readonly clients: readonly string[];
      readonly threadCount: number;
      readonly progress: Progress;
    }
  /** Finished by an earlier comparison; it is not computed again. */
  | { readonly type: "runKept"; readonly strategy: string; readonly seed: number; readonly progress: Progress }
  /** Scenes are being composed (this blocks the calling thread for a moment). */
  | { readonly type: "seedPreparing"; readonly seed: number; readonly progress: Progress }
  | { readonly type: "seedPrepared"; readonly seed: number; readonly seconds: number; readonly progress: Progress }
  | (RunEvent & { readonly progress: Progress })
  | { readonly type: "comparisonFinished"; readonly seconds: number; readonly progress: Progress };
