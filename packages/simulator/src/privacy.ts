/**
 * What an attacker can tell about a site's training examples from what the site shares in a run; see `privacy/membership.ts` in
 * `@kumiai/algorithms` for the attacks and their limits.
 *
 * Members are training examples of the site, non-members its held-out ones, at most `examples` of each, drawn once per seed: every strategy is
 * attacked with the same candidates. Only examples with a label for each task are candidates, since a loss over fewer tasks would give
 * them away. The attacker knows the site's private parts as they were at the start of the round.
 */
import {
  type ClientUpdate,
  LEAST_CANDIDATES,
  type MembershipAdvantage,
  membershipAdvantage,
  type RoundDiagnostics,
  type TrafficRule,
} from "@kumiai/algorithms";
import { type ClientId, createRng, type ParamSlot, type ParamVector, type Rng, slotView } from "@kumiai/params";
import type { ProbeJob, ProbeResult } from "./pool/jobs.js";
import type { WorkerPool } from "./pool/pool.js";
import type { ClientPrivacy, UpdateLeak } from "./result.js";
import { type ClientContext, clientOf, type SeedContext, settleAll } from "./seed-context.js";

/** One update as the server saw it. */
export interface SeenUpdate {
  readonly round: number;
  readonly base: ParamVector;
  readonly local: ParamVector;
  /** Which groups were in it. */
  readonly shared: TrafficRule;
}

/** Each client's first and last update; those of strategies that make nobody send anything are not there. */
export interface UpdateWatch {
  readonly seen: ReadonlyMap<ClientId, { readonly first: SeenUpdate; readonly last: SeenUpdate }>;
  readonly see: (round: number, updates: readonly ClientUpdate[], diagnostics: RoundDiagnostics) => void;
}

export function watchUpdates(): UpdateWatch {
  const seen = new Map<ClientId, { readonly first: SeenUpdate; readonly last: SeenUpdate }>();
  return {
    seen,
    see: (round, updates, { shared }) => {
      if (!shared.encoder && !shared.decoders) return;
      for (const { client, base, local } of updates) {
        const last = { round, base, local, shared };
        seen.set(client, { first: seen.get(client)?.first ?? last, last });
      }
    },
  };
}

export interface PrivacyOptions {
  readonly context: SeedContext;
  readonly pool: WorkerPool;
  /** After the last round. */
  readonly params: ReadonlyMap<ClientId, ParamVector>;
  readonly seen: UpdateWatch["seen"];
  readonly examples: number;
  /** Names the run in errors. */
  readonly what: string;
  readonly signal?: AbortSignal | undefined;
}

/** By client that took part. Throws as jobs of the pool do. */
export async function measurePrivacy(options: PrivacyOptions): Promise<Readonly<Record<string, ClientPrivacy>>> {
  const measured = [...options.params].map(
    async ([id, params]) => [id, await attackSite(options, id, params)] as const,
  );
  return Object.fromEntries(await settleAll(measured));
}

async function attackSite(options: PrivacyOptions, id: ClientId, params: ParamVector): Promise<ClientPrivacy> {
  const client = clientOf(options.context.clients, id);
  const site = new AttackedSite(options, client);
  const seen = options.seen.get(id);
  return {
    firstUpdate: seen === undefined ? null : await site.leakOf(seen.first),
    lastUpdate: seen === undefined ? null : await site.leakOf(seen.last),
    model: await site.lossThreshold(params),
    untrained: await site.lossThreshold(client.initialParams),
  };
}

type AlignWith = ProbeJob["alignWith"];
type Sides<T> = Readonly<Record<"members" | "nonMembers", T>>;

/** The candidates of one site, and what attacks say of them. */
class AttackedSite {
  readonly #options: PrivacyOptions;
  readonly #client: ClientContext;
  readonly #rng: Rng;
  readonly #rows: Sides<readonly number[]>;

  constructor(options: PrivacyOptions, client: ClientContext) {
    const { labeledRows } = client;
    this.#options = options;
    this.#client = client;
    this.#rng = createRng(options.context.seed).split("privacy").split(client.spec.id);
    const draw = (rows: readonly number[], side: string) =>
      this.#rng.split(side).shuffled(rows).slice(0, options.examples);
    this.#rows = { members: draw(labeledRows.train, "members"), nonMembers: draw(labeledRows.test, "non-members") };
  }

  async lossThreshold(params: ParamVector): Promise<MembershipAdvantage | null> {
    const probed = await this.#probe(params, null);
    return this.#advantage(probed, ({ losses }) => losses.map((loss) => -loss));
  }

  async leakOf({ round, base, local, shared }: SeenUpdate): Promise<UpdateLeak> {
    const slots = this.#client.spec.layout.slots.filter((slot) => isSent(slot, shared));
    const after = base.slice();
    for (const slot of slots) slotView(after, slot).set(slotView(local, slot));
    const update = after.map((value, i) => value - (base[i] as number));
    const [before, then] = await Promise.all([
      this.#probe(base, { update, ranges: slots.map(({ offset, size }) => ({ offset, size })) }),
      this.#probe(after, null),
    ]);
    return {
      round,
      lossDrop: this.#advantage(before, ({ losses }, side) =>
        losses.map((loss, i) => loss - (then?.[side].losses[i] as number)),
      ),
      updateAlignment: this.#advantage(before, ({ alignments }) => alignments ?? []),
    };
  }

  /** Null where there are too few candidates. */
  async #probe(params: ParamVector, alignWith: AlignWith): Promise<Sides<ProbeResult> | null> {
    const { members, nonMembers } = this.#rows;
    if (Math.min(members.length, nonMembers.length) < LEAST_CANDIDATES) return null;
    const { pool, what, signal } = this.#options;
    const { model, trainKey, testKey, spec } = this.#client;
    const of = async (examples: string, rows: readonly number[]): Promise<ProbeResult> => {
      const job: ProbeJob = { kind: "probe", model, examples, rows, params, alignWith };
      return (await pool.run(job, { what: `${what}, client ${spec.id}`, signal })).result;
    };
    const [first, second] = await Promise.all([of(trainKey, members), of(testKey, nonMembers)]);
    return { members: first, nonMembers: second };
  }

  /** The same halves of candidates for every attack, round and strategy. */
  #advantage(
    probed: Sides<ProbeResult> | null,
    scores: (of: ProbeResult, side: "members" | "nonMembers") => readonly number[],
  ): MembershipAdvantage | null {
    if (probed === null) return null;
    const { members, nonMembers } = probed;
    const sides = { members: scores(members, "members"), nonMembers: scores(nonMembers, "nonMembers") };
    return membershipAdvantage(sides, this.#rng.split("attack"));
  }
}

function isSent({ role }: ParamSlot, shared: TrafficRule): boolean {
  return (role.kind === "encoder" && shared.encoder) || (role.kind === "decoder" && shared.decoders);
}
