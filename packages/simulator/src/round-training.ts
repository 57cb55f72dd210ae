/**
 * Local training of one round as jobs of the pool, in two kinds: every site on its own, or (the pooled reference) all
 * sites' data through one tied store. A trainer keeps optimizer states from round to round if the scenario says so.
 */
import type { Assignment, ClientSpec, GradientSurgery } from "@kumiai/algorithms";
import type { ClientId, ParamVector, Rng } from "@kumiai/params";
import type { OptimizerState } from "@kumiai/training";
import type { Scenario } from "./config/scenario.js";
import { sessionOptionsOf } from "./model.js";
import { type PlannedPhase, planPhases, planSteps, planTurns } from "./plan.js";
import type { StepPlan, TrainJob, TrainResult } from "./pool/jobs.js";
import type { WorkerPool } from "./pool/pool.js";
import type { LocalTraining } from "./records.js";
import { type ClientContext, clientOf, type SeedContext, settleAll } from "./seed-context.js";
import { gatherInto, scatterInto, tieParams } from "./tied-store.js";

export interface TrainerOptions {
  readonly scenario: Scenario;
  readonly context: SeedContext;
  readonly pool: WorkerPool;
  /** Names the run in errors. */
  readonly what: string;
  readonly signal: AbortSignal | undefined;
  /** Of the seed: orders of examples are the same for every strategy. */
  readonly rng: Rng;
}

export interface RoundOfTraining {
  readonly round: number;
  /** The clients present, in order, with the params that they start from. */
  readonly params: ReadonlyMap<ClientId, ParamVector>;
  /** What clients were given last, where it may be something else: between two exchanges they start from their own. */
  readonly received: ReadonlyMap<ClientId, ParamVector>;
  readonly assignmentOf: (client: ClientSpec) => Assignment;
  readonly onTrained: (client: ClientId, loss: number, stepCount: number, seconds: number) => void;
}

export interface LocalTrainer {
  /** Copies that clients keep to themselves and use instead of the params that they are given; as of the last round. */
  readonly personal: ReadonlyMap<ClientId, ParamVector>;
  /** By client, in the order of `params`. */
  train(round: RoundOfTraining): Promise<ReadonlyMap<ClientId, LocalTraining>>;
}

/** Every client alone: one job each, and one more for the copy of a client that is to keep one. */
export function siteTrainer(options: TrainerOptions): LocalTrainer {
  const { context, what } = options;
  const optimizers = { sent: new Map<ClientId, PhaseStates>(), personal: new Map<ClientId, PhaseStates>() };
  const personal = new Map<ClientId, ParamVector>();

  const trainClient = async (round: RoundOfTraining, id: ClientId, base: ParamVector): Promise<LocalTraining> => {
    const client = clientOf(context.clients, id);
    const plan = planOf(options, client, round.round);
    const { personal: copy, ...assignment } = round.assignmentOf(client.spec);
    const phases = planPhases(assignment, plan.learningRates.length);
    const { surgery, proximalWeight } = assignment;
    const anchor = round.received.get(id) ?? base;
    const work = { client, plan, phases, surgery, label: `${what}, round ${round.round}, client ${id}` };
    const sent = trainSite(options, work, optimizers.sent, { params: base, proximalWeight, anchor });
    if (copy === undefined) personal.delete(id);
    const own =
      copy === undefined
        ? null
        : trainSite(options, { ...work, label: `${work.label}, its own copy` }, optimizers.personal, {
            params: personal.get(id) ?? base,
            proximalWeight: copy.proximalWeight,
            anchor,
          });
    await settleAll<unknown>([sent, Promise.resolve(own)]);
    const [ofSent, ofOwn] = [await sent, await own];
    if (ofOwn !== null) personal.set(id, ofOwn.params);
    const { taskLosses } = ofOwn ?? ofSent;
    const seconds = ofSent.seconds + (ofOwn?.seconds ?? 0);
    round.onTrained(id, sumOf(taskLosses), plan.learningRates.length, seconds);
    const update = { client: id, base, local: ofSent.params, sampleCount: client.sampleCount };
    return { update, taskLosses, seconds };
  };

  return {
    personal,
    async train(round) {
      const work = [...round.params].map(async ([id, base]) => [id, await trainClient(round, id, base)] as const);
      return new Map(await settleAll(work));
    },
  };
}

/** One optimizer state for each phase of a round. */
type PhaseStates = readonly OptimizerState[];

interface SiteWork {
  readonly client: ClientContext;
  readonly plan: StepPlan;
  readonly phases: readonly PlannedPhase[];
  readonly surgery: GradientSurgery | undefined;
  /** Names the work in errors. */
  readonly label: string;
}

/** One job; takes the client's optimizer states from `states` and leaves the new ones there. */
async function trainSite(
  { scenario, pool, signal }: TrainerOptions,
  { client, plan, phases, surgery, label }: SiteWork,
  states: Map<ClientId, PhaseStates>,
  start: Pick<TrainJob, "params" | "proximalWeight" | "anchor">,
): Promise<TrainResult & { readonly seconds: number }> {
  const before = states.get(client.spec.id) ?? [];
  const { result, seconds } = await pool.run(
    {
      kind: "train",
      model: client.model,
      session: sessionOptionsOf(scenario),
      examples: client.trainKey,
      plan,
      surgery,
      phases: phases.map((phase, i) => ({ ...phase, optimizer: before[i] ?? null })),
      ...start,
    },
    { what: label, signal },
  );
  if (scenario.training.optimizerState === "keep") states.set(client.spec.id, result.optimizers);
  return { ...result, seconds };
}

/** All clients in turn on one tied store, one job a round. Every client makes the same passes as it would alone. */
export function pooledTrainer(options: TrainerOptions): LocalTrainer {
  const { scenario, context, pool, what, signal, rng } = options;
  const tied = tieParams([...context.clients.values()].map((client) => client.spec));
  const store = new Float32Array(tied.size);
  for (const { spec, initialParams } of context.clients.values()) {
    scatterInto(store, initialParams, tied.pieces.get(spec.id) ?? []);
  }
  let current: { readonly store: Float32Array; readonly optimizer: OptimizerState | null } = { store, optimizer: null };

  return {
    personal: new Map(),
    async train(round) {
      const ids = [...round.params.keys()];
      const members = ids.map((id) => {
        const client = clientOf(context.clients, id);
        const plan = planOf(options, client, round.round);
        const { surgery } = round.assignmentOf(client.spec);
        return { model: client.model, surgery, examples: client.trainKey, plan, pieces: tied.pieces.get(id) ?? [] };
      });
      const stepCounts = members.map((member) => member.plan.learningRates.length);
      const turns = planTurns(stepCounts, rng.split(`round-${round.round}`).split("turns"));
      const { result, seconds } = await pool.run(
        { kind: "trainPooled", session: sessionOptionsOf(scenario), members, turns, ...current },
        { what: `${what}, round ${round.round}, all clients pooled`, signal },
      );
      current = {
        store: result.store,
        optimizer: scenario.training.optimizerState === "keep" ? result.optimizer : null,
      };
      return new Map(
        ids.map((id, member) => {
          const client = clientOf(context.clients, id);
          const local = new Float32Array(client.spec.layout.size);
          gatherInto(local, result.store, tied.pieces.get(id) ?? []);
          const taskLosses = result.taskLosses[member] ?? {};
          const share = ((stepCounts[member] ?? 0) / turns.length) * seconds;
          round.onTrained(id, sumOf(taskLosses), stepCounts[member] ?? 0, share);
          const base = round.params.get(id) ?? client.initialParams;
          const update = { client: id, base, local, sampleCount: client.sampleCount };
          return [id, { update, taskLosses, seconds: share }] as const;
        }),
      );
    },
  };
}

function planOf({ scenario, rng }: TrainerOptions, client: ClientContext, round: number) {
  return planSteps({
    training: scenario.training,
    round,
    exampleCount: client.trainCount,
    rng: rng.split(`round-${round}`).split(client.spec.id).split("shuffle"),
  });
}

function sumOf(losses: Readonly<Record<string, number>>): number {
  return Object.values(losses).reduce((sum, loss) => sum + loss, 0);
}
