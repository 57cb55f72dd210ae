/** The recorded runs in fixtures/fedhca2 as folders of one file a client, as somebody with a training loop of their own has them. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ParamsFile, type ParamsFileEntry, readParamsFile, writeParamsFile } from "@kumiai/params";

export interface FixtureFolders {
  readonly roundCount: number;
  readonly clientIds: readonly string[];
  /** The text of a FEDERATION.yaml for it. */
  readonly yaml: string;
  /** α by round and client, β by round, layer and decoder, in the authors' order. */
  readonly alpha: readonly (readonly number[])[];
  readonly beta: readonly Readonly<Record<string, readonly number[]>>[];
  /** Decoders as `client/task`, in the authors' order. */
  readonly decoderKeys: readonly string[];
  /** Writes `<client>.safetensors` of a round (from 0) for the clients asked for; names as the authors have them (`backbone.*`). */
  write(folder: string, round: number, stage: "base" | "local", clients?: readonly string[]): Promise<void>;
  /** The authors' params after aggregation. */
  expected(round: number, client: string): ReadonlyMap<string, Float32Array>;
  /** The same of another stage. */
  values(round: number, stage: "base" | "local", client: string): ReadonlyMap<string, Float32Array>;
}

export async function readFixtureFolders(name: string): Promise<FixtureFolders> {
  const file = await readParamsFile(
    fileURLToPath(new URL(`../../../../fixtures/fedhca2/${name}.safetensors`, import.meta.url)),
  );
  const parse = <T>(key: string): T => JSON.parse(file.metadata[key] ?? "null") as T;
  const clients = parse<readonly { readonly dataset: string; readonly tasks: readonly string[] }[]>("clients");
  const clientIds = clients.map((_, index) => `client-${index}`);
  const keysOf = (several: boolean): readonly string[] =>
    clients.flatMap(({ tasks }, i) =>
      tasks.length > 1 === several ? [...tasks].sort().map((task) => `${clientIds[i]}/${task}`) : [],
    );
  const values = (round: number, stage: Stage, client: string): ReadonlyMap<string, Float32Array> =>
    new Map(entriesOf(file, round, stage, clientIds.indexOf(client)).map((entry) => [entry.name, entry.values]));
  return {
    roundCount: parse("rounds"),
    clientIds,
    yaml: yamlOf(clients, parse),
    alpha: parse("alpha"),
    beta: parse("beta"),
    decoderKeys: [...keysOf(false), ...keysOf(true)],
    async write(folder, round, stage, wanted = clientIds) {
      await mkdir(folder, { recursive: true });
      for (const client of wanted) {
        const entries = entriesOf(file, round, stage, clientIds.indexOf(client));
        await writeParamsFile(join(folder, `${client}.safetensors`), entries);
      }
    },
    expected: (round, client) => values(round, "aggregated", client),
    values,
  };
}

type Stage = "base" | "local" | "aggregated";

/** `base` of a later round than the first is `aggregated` of the round before: the file has it once. */
function entriesOf(file: ParamsFile, round: number, stage: Stage, client: number): readonly ParamsFileEntry[] {
  if (stage === "base" && round > 0) return entriesOf(file, round - 1, "aggregated", client);
  const prefix = `round${round}/${stage}/${client}/`;
  return [...file.tensors]
    .filter(([tensor]) => tensor.startsWith(prefix))
    .map(([tensor, { shape, values }]) => ({ name: tensor.slice(prefix.length), shape, values }));
}

function yamlOf(
  clients: readonly { readonly dataset: string; readonly tasks: readonly string[] }[],
  parse: <T>(key: string) => T,
): string {
  const {
    lr,
    momentum,
    weight_decay: weightDecay,
  } = parse<{ lr: number; momentum: number; weight_decay: number }>("hyper_optimizer");
  const lines = clients.map(
    ({ dataset, tasks }, index) => `  - { id: client-${index}, dataset: ${dataset}, tasks: [${tasks.join(", ")}] }`,
  );
  return `strategy:
  name: fedhca2
  conflictRadius: ${parse("ca_c")}
  encoderAlpha: ${parse("alpha_init")}
  decoderBeta: ${parse("beta_init")}
  attention: dot
  hyperOptimizer: { learningRate: ${lr}, momentum: ${momentum}, weightDecay: ${weightDecay} }
clients:
${lines.join("\n")}
`;
}
