/**
 * One round over vectors in memory: in this thread, or on threads where vectors lie over SharedArrayBuffers. The two give the same
 * bits, and those of a round over files.
 */
import {
  type KernelBackend,
  type MeasureOutcome,
  type MemoryPiece,
  type MixOutcome,
  measureHere,
  mixHere,
  type PassThreads,
  selectBackend,
  type Vector,
  vectorFrom,
  vectorOf,
} from "@kumiai/kernels";
import { type ClientId, KumiaiError, type ParamSlot, type ParamVector, slotView } from "@kumiai/params";
import { openCohort, type PresentClient } from "../cohort.js";
import { diagnose } from "../diagnostics.js";
import { isStoredVector, type StateVector } from "../state-vector.js";
import type { ClientUpdate, Decision, Measurements, RoundInput, RoundOutput, StrategyCore } from "../strategy.js";
import { countBroadcast } from "./broadcast.js";
import type { RoundIo } from "./io.js";
import { type MeasurementPlan, planMeasurement } from "./measuring.js";
import { type MixingPlan, planMixing } from "./mixing.js";
import { refuseResult, refuseUpdate } from "./refusals.js";

/** In this thread. Throws LAYOUT_MISMATCH, NON_FINITE, UNKNOWN_CLIENT or INVALID_CONFIG. */
export function aggregateHere<State>(
  strategy: StrategyCore<State>,
  state: State,
  input: RoundInput,
  backend: KernelBackend = selectBackend(),
): RoundOutput<State> {
  const round = openRound(strategy, state, input, (length) => new Float32Array(length));
  const mixing = round.decide(measureHere(round.measurement.plan, backend), backend);
  return round.finish(mixHere({ segments: mixing.segments, copies: [] }, backend));
}

/**
 * On threads. `base`, `local` and vectors of the state must lie over SharedArrayBuffers (all in the threads' heap, if they were opened
 * with one), and `allocate` must give such vectors for the next params and state. Throws as `aggregateHere`, and RangeError
 * for a vector that the threads cannot reach.
 */
export async function aggregateShared<State>(
  strategy: StrategyCore<State>,
  state: State,
  input: RoundInput,
  threads: PassThreads,
  allocate: (length: number) => Float32Array = sharedVector,
): Promise<RoundOutput<State>> {
  const round = openRound(strategy, state, input, allocate);
  const mixing = round.decide(await threads.measure(round.measurement.plan), threads.backend);
  return round.finish(await threads.mix({ segments: mixing.segments, copies: [] }));
}

/** Zeros that threads can share. */
export function sharedVector(length: number): Float32Array {
  return new Float32Array(new SharedArrayBuffer(4 * length));
}

interface OpenRound<State> {
  readonly measurement: MeasurementPlan;
  decide(outcome: MeasureOutcome, backend: KernelBackend): MixingPlan;
  finish(outcome: MixOutcome): RoundOutput<State>;
}

function openRound<State>(
  strategy: StrategyCore<State>,
  state: State,
  input: RoundInput,
  allocate: (length: number) => Float32Array,
): OpenRound<State> {
  const cohort = openCohort(input.round, input.clients, input.updates);
  const request = strategy.measure(state, cohort);
  const updates = new Map(input.updates.map((update) => [update.client, update]));
  for (const client of cohort.present) checkLengths(client, updates.get(client.spec.id));
  const params = new Map<ClientId, ParamVector>();
  const io = memoryIo(updates, params);
  const measurement = planMeasurement(request, cohort, io);
  let decided: { readonly measured: Measurements; readonly decision: Decision<State>; readonly mixing: MixingPlan };

  return {
    measurement,
    decide(outcome, backend) {
      if (outcome.nonFinite !== undefined) throw refuseUpdate(outcome.nonFinite, measurement, io);
      const measured = measurement.read(outcome.measured, backend);
      const decision = strategy.decide(state, cohort, measured, (_name, length) => allocate(length));
      for (const { spec } of cohort.present) params.set(spec.id, allocate(spec.layout.size));
      const mixing = planMixing(decision.mixes, cohort, io);
      decided = { measured, decision, mixing };
      return mixing;
    },
    finish({ nonFinite }) {
      const { measured, decision, mixing } = decided;
      if (nonFinite !== undefined) throw refuseResult(nonFinite, mixing, cohort, measured);
      for (const [client, slots] of mixing.untouched) copySlots(params.get(client), updates.get(client)?.local, slots);
      return {
        state: decision.state,
        traffic: { rule: decision.traffic, broadcast: countBroadcast(decision, cohort) },
        params,
        diagnostics: { ...diagnose(cohort, measured, decision.traffic), ...decision.diagnostics },
      };
    },
  };
}

function memoryIo(updates: ReadonlyMap<ClientId, ClientUpdate>, params: ReadonlyMap<ClientId, ParamVector>): RoundIo {
  return {
    source(client, stage, slots) {
      const update = updates.get(client);
      if (update === undefined) throw new RangeError(`client ${client}: sent no update`);
      return slotVector(update[stage], slots);
    },
    destination(client, slots) {
      const own = params.get(client);
      if (own === undefined) throw new RangeError(`client ${client}: gets no params`);
      return slotVector(own, slots);
    },
    stored: (vector) => vectorOf([{ values: inMemory(vector) }]),
    isReadable: () => true,
    describe: () => "",
  };
}

/** Neighbors are one piece from the start: there are thousands of slots, and a view of each would be garbage at once. */
function slotVector(params: ParamVector, slots: readonly ParamSlot[]): Vector {
  const pieces: MemoryPiece[] = [];
  for (let first = 0; first < slots.length; ) {
    const start = slots[first]?.offset ?? 0;
    let end = start;
    for (; slots[first]?.offset === end; first++) end += slots[first]?.size ?? 0;
    if (end > start) pieces.push({ values: params.subarray(start, end) });
  }
  return vectorFrom(pieces);
}

function inMemory(vector: StateVector): Float32Array {
  if (!isStoredVector(vector)) return vector;
  throw new RangeError(`state: expected vectors in memory, received the tensor ${vector.name} of a file`);
}

function copySlots(to: ParamVector | undefined, from: ParamVector | undefined, slots: readonly ParamSlot[]): void {
  if (to === undefined || from === undefined) return;
  for (const slot of slots) slotView(to, slot).set(slotView(from, slot));
}

function checkLengths({ spec }: PresentClient, update: ClientUpdate | undefined): void {
  for (const stage of ["base", "local"] as const) {
    const received = update?.[stage].length ?? 0;
    if (received === spec.layout.size) continue;
    throw new KumiaiError(
      "LAYOUT_MISMATCH",
      `client ${spec.id}: ${stage} params: expected ${spec.layout.size} numbers, received ${received}; the client may run another version of the model`,
      { client: spec.id, expected: spec.layout.size, received },
    );
  }
}
