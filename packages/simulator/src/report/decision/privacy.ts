/**
 * What membership inference could tell about a site's training examples, from the result: by what it sent, and by the models that it
 * has, together and alone. Of several attacks on one thing the strongest counts (the highest mean over seeds).
 */
import { meanOf } from "../statistics.js";
import { type ReportStrategy, type ReportView, seedResults } from "../view.js";

export interface Leak {
  /** True minus false positive rate, in percent, mean over seeds. */
  readonly advantagePercent: number;
  readonly attack: "loss-drop" | "update-alignment" | "loss-threshold";
  /** Seeds with which the site had enough examples. */
  readonly seedCount: number;
}

export interface SitePrivacy {
  /** What the site sent before anything of others was in it, and what it sent last; null: it sent nothing. */
  readonly firstUpdate: Leak | null;
  readonly lastUpdate: Leak | null;
  /** Its model at the end. */
  readonly model: Leak | null;
  /** The model that it would have trained alone. */
  readonly alone: Leak | null;
  /** Of params that cannot know the data: what chance and differing examples give. */
  readonly untrained: Leak | null;
}

interface Advantage {
  readonly advantagePercent: number | null;
}

interface UpdateLeaks {
  readonly lossDrop: Advantage | null;
  readonly updateAlignment: Advantage | null;
}

interface Measured {
  readonly firstUpdate: UpdateLeaks | null;
  readonly lastUpdate: UpdateLeaks | null;
  readonly model: Advantage | null;
  readonly untrained: Advantage | null;
}

/** Null where it was not measured. */
export function sitePrivacy(view: ReportView, strategy: ReportStrategy, client: string): SitePrivacy | null {
  const own = measuredIn(view, strategy, client);
  if (own.length === 0) return null;
  const alone = view.baseline === null ? [] : measuredIn(view, view.baseline, client);
  return {
    firstUpdate: updateLeak(own.map(({ firstUpdate }) => firstUpdate)),
    lastUpdate: updateLeak(own.map(({ lastUpdate }) => lastUpdate)),
    model: leakOf(
      "loss-threshold",
      own.map(({ model }) => model),
    ),
    alone: leakOf(
      "loss-threshold",
      alone.map(({ model }) => model),
    ),
    untrained: leakOf(
      "loss-threshold",
      own.map(({ untrained }) => untrained),
    ),
  };
}

/** The strongest attack on what a site sends; null where it sends nothing or has too few examples to be attacked. */
export function sentLeak({ firstUpdate, lastUpdate }: SitePrivacy): Leak | null {
  return strongest([firstUpdate, lastUpdate].flatMap((leak) => leak ?? []));
}

/** A site as far as its exposure goes. */
interface Sender {
  readonly id: string;
  readonly upBytesPerRound: number;
  readonly privacy: SitePrivacy | null;
}

/** Sites that send something; the others give nothing away. */
export function senders<S extends Sender>(sites: readonly S[]): readonly S[] {
  return sites.filter(({ upBytesPerRound }) => upBytesPerRound > 0);
}

/** Sites that send something and were to be attacked, but have too few examples with all labels. */
export function sitesWithTooFew(sites: readonly Sender[]): readonly string[] {
  return senders(sites).flatMap(({ id, privacy }) => (privacy !== null && sentLeak(privacy) === null ? [id] : []));
}

function measuredIn(view: ReportView, strategy: ReportStrategy, client: string): readonly Measured[] {
  return seedResults(view, strategy).flatMap((seed) => {
    const privacy: Readonly<Record<string, Measured>> | undefined =
      "privacy" in seed ? (seed.privacy as never) : undefined;
    return privacy !== undefined && Object.hasOwn(privacy, client) ? (privacy[client] ?? []) : [];
  });
}

function updateLeak(updates: readonly (UpdateLeaks | null)[]): Leak | null {
  const attacks = [
    leakOf(
      "loss-drop",
      updates.map((update) => update?.lossDrop ?? null),
    ),
    leakOf(
      "update-alignment",
      updates.map((update) => update?.updateAlignment ?? null),
    ),
  ].flatMap((leak) => leak ?? []);
  return strongest(attacks);
}

function strongest(leaks: readonly Leak[]): Leak | null {
  return leaks.reduce<Leak | null>(
    (most, leak) => (most === null || leak.advantagePercent > most.advantagePercent ? leak : most),
    null,
  );
}

function leakOf(attack: Leak["attack"], measured: readonly (Advantage | null)[]): Leak | null {
  const known = measured.flatMap((one) => one?.advantagePercent ?? []);
  const advantagePercent = meanOf(known);
  return advantagePercent === null ? null : { attack, advantagePercent, seedCount: known.length };
}
