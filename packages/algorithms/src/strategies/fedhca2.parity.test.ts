/**
 * FedHCA² against the authors' implementation, over all rounds of three runs: each round gets the fixture's params, and
 * our state of the round before. Every tensor of a file is compared or used, and the files' hashes are written here.
 *
 * Ours solves the conflict-averse step exactly, theirs stops early; how much that moves the α differs from file to file
 * (`alphaTolerance`, as a part of the largest movement so far). The β do not depend on the solver and are met to f32.
 */
import { type ParamRoleKind, type ParamVector, slotsOfRole, slotView } from "@kumiai/params";
import { beforeAll, describe, expect, test } from "vitest";
import { createStrategy } from "../registry.js";
import type { ClientSpec, RoundOutput } from "../strategy.js";
import { type FedHca2Fixture, readFedHca2Fixture } from "../testing/fedhca2-fixture.js";

const FIXTURES = [
  {
    name: "paper_5st_1mt",
    sha256: "52281089da68ea672df25b63e7d4c1601ff2e30c3b6679947c2bafc764128e0b",
    rounds: 4,
    decoders: 9,
    alphaTolerance: 6e-3,
  },
  {
    name: "conflicting_updates",
    sha256: "f1d5b0e9cc2b62366c05f438fb75d4ef1820892f281bdb8055b2a83fb8b83248",
    rounds: 5,
    decoders: 8,
    alphaTolerance: 5e-6,
  },
  {
    name: "duplicate_sites",
    sha256: "167070c1a60752e9155c830b07c6545e320330d4e2ad32e1b3b3c2f2d2165cca",
    rounds: 4,
    decoders: 9,
    alphaTolerance: 1e-3,
  },
] as const;

interface ReplayedRound {
  readonly base: ReadonlyMap<string, ParamVector>;
  readonly local: ReadonlyMap<string, ParamVector>;
  readonly expected: ReadonlyMap<string, ParamVector>;
  readonly output: RoundOutput<unknown>;
}

function replay(fixture: FedHca2Fixture): readonly ReplayedRound[] {
  const { clients, options, roundCount } = fixture;
  const strategy = createStrategy("fedhca2", options);
  let state = strategy.init(clients);
  return Array.from({ length: roundCount }, (_, round) => {
    const paramsOf = (stage: "base" | "local" | "aggregated") =>
      new Map(clients.map((client) => [String(client.id), fixture.params(round, stage, client)]));
    const [base, local, expected] = [paramsOf("base"), paramsOf("local"), paramsOf("aggregated")];
    const updates = clients.map(({ id }) => ({ client: id, base: at(base, id), local: at(local, id), sampleCount: 1 }));
    // State as it comes back from a store: plain data only.
    state = structuredClone(state);
    const output = strategy.aggregate(state, { round: round + 1, clients, updates });
    state = output.state;
    return { base, local, expected, output };
  });
}

function at(params: ReadonlyMap<string, ParamVector>, id: string): ParamVector {
  const vector = params.get(id);
  if (vector === undefined) throw new Error(`no params for ${id}`);
  return vector;
}

/** Largest |a − b| over the slots of one kind. */
function distance(client: ClientSpec, kind: ParamRoleKind, a: ParamVector, b: ParamVector): number {
  let largest = 0;
  for (const slot of slotsOfRole(client.layout, kind)) {
    const right = slotView(b, slot);
    slotView(a, slot).forEach((value, i) => {
      largest = Math.max(largest, Math.abs(value - (right[i] ?? Number.NaN)));
    });
  }
  return largest;
}

/** Largest |value − first value| up to and with `round`. */
function movement(series: readonly (readonly number[])[], round: number): number {
  const first = series[0] ?? [];
  return Math.max(
    0,
    ...series.slice(0, round + 1).flatMap((row) => row.map((value, i) => Math.abs(value - (first[i] ?? value)))),
  );
}

describe.each(FIXTURES)("fedhca2 on $name", ({ name, sha256, rounds, decoders, alphaTolerance }) => {
  let fixture: FedHca2Fixture;
  let played: readonly ReplayedRound[];
  beforeAll(async () => {
    fixture = await readFedHca2Fixture(name);
    played = replay(fixture);
  });

  const eachClient = (check: (client: ClientSpec, round: ReplayedRound, label: string) => void): void => {
    expect(played).toHaveLength(rounds);
    played.forEach((round, index) => {
      for (const client of fixture.clients) check(client, round, `round ${index}, ${client.id}`);
    });
  };

  test("the file is the one that was measured, and every tensor of it is used", () => {
    expect(fixture.sha256).toBe(sha256);
    expect(fixture.unread()).toEqual([]);
    expect(fixture.decoderKeys).toHaveLength(decoders);
  });

  test("encoders equal the authors' within 1e-3 of the largest update", () => {
    for (const { base, local, expected, output } of played) {
      const updates = fixture.clients.map((client) =>
        distance(client, "encoder", at(local, client.id), at(base, client.id)),
      );
      for (const client of fixture.clients) {
        const ours = at(output.params, client.id);
        expect(distance(client, "encoder", ours, at(expected, client.id))).toBeLessThanOrEqual(
          1e-3 * Math.max(...updates),
        );
      }
    }
  });

  test("decoders equal the authors' within 1e-6", () => {
    eachClient((client, { expected, output }, label) => {
      const gap = distance(client, "decoder", at(output.params, client.id), at(expected, client.id));
      expect(gap, label).toBeLessThanOrEqual(1e-6);
    });
  });

  test("heads are the client's own, bit for bit, ours as well as theirs", () => {
    eachClient((client, { local, expected, output }, label) => {
      expect(distance(client, "head", at(output.params, client.id), at(local, client.id)), label).toBe(0);
      expect(distance(client, "head", at(expected, client.id), at(local, client.id)), label).toBe(0);
    });
  });

  test(`alphas equal the authors' within 1e-3, and within ${alphaTolerance} of their movement`, () => {
    expect(fixture.alpha).toHaveLength(rounds);
    played.forEach(({ output }, round) => {
      const tolerance = Math.min(1e-3, 2e-8 + alphaTolerance * movement(fixture.alpha, round));
      fixture.clients.forEach(({ id }, i) => {
        const ours = output.diagnostics.hyperWeights?.encoderAlpha[id] ?? Number.NaN;
        expect(Math.abs(ours - (fixture.alpha[round]?.[i] ?? Number.NaN)), `round ${round}, ${id}`).toBeLessThanOrEqual(
          tolerance,
        );
      });
    });
  });

  test("betas equal the authors' within 1e-3, and within 1e-6 of their movement and f32 rounding", () => {
    expect(fixture.beta).toHaveLength(rounds);
    const series = fixture.beta.map((layers) => Object.values(layers).flat());
    played.forEach(({ output }, round) => {
      const tolerance = Math.min(1e-3, 2e-8 + 1e-6 * movement(series, round));
      for (const [layer, betas] of Object.entries(fixture.beta[round] ?? {})) {
        expect(betas).toHaveLength(decoders);
        betas.forEach((beta, k) => {
          const key = fixture.decoderKeys[k] ?? "";
          const ours = output.diagnostics.hyperWeights?.decoderBeta[key]?.[layer] ?? Number.NaN;
          expect(Math.abs(ours - beta), `round ${round}, ${key}, ${layer}`).toBeLessThanOrEqual(tolerance);
        });
      }
    });
  });

  test("hyper-weights move in every round, so that none of these comparisons is empty", () => {
    for (let round = 1; round < rounds; round++) {
      expect(movement(fixture.alpha.slice(0, round + 1), round)).toBeGreaterThan(1e-5);
      expect(fixture.alpha[round]).not.toEqual(fixture.alpha[round - 1]);
    }
  });
});
