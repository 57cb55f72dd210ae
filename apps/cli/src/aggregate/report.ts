/** What is said about a round: one JSON document for programs, a table for people. */
import type { FileRoundResult, HyperWeightValues, RoundDiagnostics } from "@kumiai/algorithms";
import Table from "cli-table3";
import { formatBytes, formatNumber } from "../format.js";
import type { Io } from "../io.js";

/** Matrices over more rows than this are left out of the document. */
const LARGEST_MATRIX = 200;

export interface RoundReport {
  readonly round: number;
  readonly strategy: string;
  readonly present: readonly string[];
  readonly absent: readonly string[];
  /** Whether Gram and cosines were computed from the updates or estimated from sketches of them. */
  readonly gramSource: RoundDiagnostics["gramSource"];
  /** ⟨Δ_i, Δ_j⟩ of the encoders, in the order of `present`; null for more than 200 clients. */
  readonly gram: readonly (readonly number[])[] | null;
  readonly cosines: readonly (readonly number[])[] | null;
  /** w* of the conflict-averse solve by client; null where the strategy has none. */
  readonly weights: Readonly<Record<string, number>> | null;
  /** a_kj by tensor, in the order of `decoders`; null where the strategy has none, or for more than 200 decoders. */
  readonly attention: {
    readonly decoders: readonly string[];
    readonly tensors: Readonly<Record<string, readonly (readonly number[])[]>>;
  } | null;
  /** Used in this round, before clamping. */
  readonly hyperWeights: NonNullable<RoundDiagnostics["hyperWeights"]> | null;
  readonly updateNorms: RoundDiagnostics["updateNorms"];
  readonly traffic: RoundDiagnostics["traffic"];
  readonly seconds: FileRoundResult["seconds"];
  /** Read from and written to files of the clients and of the state. */
  readonly bytes: FileRoundResult["bytes"];
  readonly out: string;
  readonly state: string;
}

export function reportOf(
  { diagnostics, seconds, bytes }: Pick<FileRoundResult, "diagnostics" | "seconds" | "bytes">,
  about: Pick<RoundReport, "round" | "strategy" | "out" | "state">,
): RoundReport {
  const { encoderGram, encoderCosines, attention, absent } = diagnostics;
  const present = encoderGram.clients;
  const isSmall = present.length <= LARGEST_MATRIX;
  return {
    ...about,
    present,
    absent,
    gramSource: diagnostics.gramSource,
    gram: isSmall ? rowsOf(encoderGram.values, present.length) : null,
    cosines: isSmall ? encoderCosines.values : null,
    weights: diagnostics.conflictWeights ?? null,
    attention:
      attention === undefined || attention.decoders.length > LARGEST_MATRIX
        ? null
        : {
            decoders: attention.decoders,
            tensors: Object.fromEntries(
              Object.entries(attention.tensors).map(([key, values]) => [
                key,
                rowsOf(values, attention.decoders.length),
              ]),
            ),
          },
    hyperWeights: diagnostics.hyperWeights ?? null,
    updateNorms: diagnostics.updateNorms,
    traffic: diagnostics.traffic,
    seconds,
    bytes,
  };
}

function rowsOf(values: Float64Array, count: number): readonly (readonly number[])[] {
  return Array.from({ length: count }, (_, i) => [...values.subarray(i * count, (i + 1) * count)]);
}

export function printReport(report: RoundReport, { out, colors }: Io): void {
  const { weights, hyperWeights, updateNorms, seconds, bytes } = report;
  const right = (content: string) => ({ content, hAlign: "right" as const });
  const columns = [
    "client",
    "‖Δ‖ encoder",
    ...(weights === null ? [] : ["weight"]),
    ...(hyperWeights === null ? [] : ["α", "β (mean)"]),
  ];
  const table = new Table({ head: columns.map((text) => colors.bold(text)), style: { head: [], border: [] } });
  const shown = [...report.present].slice(0, SHOWN_CLIENTS);
  for (const client of shown) {
    const norms = (updateNorms as Readonly<Record<string, { readonly encoder: number }>>)[client];
    table.push([
      client,
      right(formatNumber(norms?.encoder ?? 0)),
      ...(weights === null ? [] : [right((weights[client] ?? 0).toFixed(3))]),
      ...(hyperWeights === null ? [] : [right(alphaOf(hyperWeights, client)), right(meanBeta(hyperWeights, client))]),
    ]);
  }
  out(`${table.toString()}\n`);
  if (shown.length < report.present.length) out(`and ${report.present.length - shown.length} more clients\n`);
  if (report.absent.length > 0) out(`absent  ${report.absent.join(", ")}: their params stay as they are\n`);
  const spent = seconds.measure + seconds.solve + seconds.mix;
  out(
    `round   ${report.round} of ${report.strategy}, ${report.present.length} clients: ${spent.toFixed(2)} s and ${seconds.flush.toFixed(2)} s to flush, ` +
      `${formatBytes(bytes.read)} read, ${formatBytes(bytes.written)} written\n`,
  );
  out(`out     ${colors.bold(report.out)}\nstate   ${report.state}\n`);
}

const SHOWN_CLIENTS = 50;

function alphaOf({ encoderAlpha }: HyperWeightValues, client: string): string {
  const alpha = (encoderAlpha as Readonly<Record<string, number>>)[client];
  return alpha === undefined ? "" : alpha.toFixed(3);
}

function meanBeta({ decoderBeta }: HyperWeightValues, client: string): string {
  const own = Object.entries(decoderBeta).filter(([key]) => key.startsWith(`${client}/`));
  const betas = own.flatMap(([, layers]) => Object.values(layers));
  return betas.length === 0 ? "" : (betas.reduce((sum, beta) => sum + beta, 0) / betas.length).toFixed(3);
}
