/** `kumiai pretrain`: the common encoder that all sites of a scenario start from. */
import { dirname, resolve } from "node:path";
import type { PretrainEpoch } from "@kumiai/simulator";
import { Command, Option } from "commander";
import { prepareOutputDir } from "../files.js";
import { cacheDir } from "../folders.js";
import { formatNumber, formatSeconds } from "../format.js";
import { interruptible } from "../interrupt.js";
import type { Io } from "../io.js";
import { parseCount, parseCounts, parseSeed } from "../parse.js";
import type { CommandContext } from "../program.js";

interface PretrainOptions {
  readonly out: string;
  readonly channels: readonly number[];
  readonly scenes: number;
  readonly epochs: number;
  readonly size: number;
  readonly seed: number;
  readonly threads: number;
  readonly cache?: string;
}

export function pretrainCommand({ io }: CommandContext): Command {
  const count = (flags: string, what: string, value: number) =>
    new Option(flags, what).argParser(parseCount).default(value, String(value));
  return new Command("pretrain")
    .summary("train the encoder that all sites start from")
    .description(
      "Trains an encoder to name the nearest item in scenes made of items that no site uses, and writes it as a " +
        "safetensors file for `model.encoder.init` of a scenario. The same options give the same bytes.",
    )
    .requiredOption("-o, --out <FILE>", "where to write it, e.g. examples/pretrained/encoder.safetensors")
    .addOption(
      new Option("--channels <LIST>", "of the encoder's stages, as in the scenario")
        .argParser(parseCounts)
        .default([16, 24, 32, 48], "16,24,32,48"),
    )
    .addOption(count("--scenes <N>", "scenes of an epoch, drawn anew for each", 4000))
    .addOption(count("--epochs <N>", "how often so many scenes are drawn and trained on", 30))
    .addOption(count("--size <N>", "height and width of a scene", 64))
    .addOption(new Option("--seed <N>", "decides everything random").argParser(parseSeed).default(0, "0"))
    .addOption(count("--threads <N>", "threads inside a step; the last digits depend on it", 1))
    .option("--cache <DIR>", "folder for prepared images (default: ~/.cache/kumiai)")
    .action((options: PretrainOptions) => pretrain(options, io));
}

async function pretrain(options: PretrainOptions, io: Io): Promise<void> {
  const path = resolve(options.out);
  await prepareOutputDir(dirname(path));
  const { pretrainEncoder, writePretrainedEncoder } = await import("@kumiai/simulator");
  using interrupt = interruptible(io, () => io.err("ending after this epoch; nothing will be written\n"));
  const startedAtMs = io.now();
  const encoder = await pretrainEncoder({
    channels: options.channels,
    sceneCount: options.scenes,
    epochs: options.epochs,
    size: options.size,
    seed: options.seed,
    threadCount: options.threads,
    cacheDir: cacheDir(options.cache, io),
    onNotice: (message) => io.err(`${message}\n`),
    onEpoch: (epoch) => io.err(`${epochLine(epoch, io.now() - startedAtMs)}\n`),
    signal: interrupt.signal,
  });
  await writePretrainedEncoder(path, encoder, commandOf(options));
  const { trainAccuracyPercent, heldOutAccuracyPercent } = encoder;
  io.out(
    `accuracy  ${trainAccuracyPercent.toFixed(1)} % on its own scenes, ${heldOutAccuracyPercent.toFixed(1)} % on others\n`,
  );
  io.out(`encoder   ${io.colors.bold(path)}\n`);
}

/** `epoch 3 of 30, loss 1.234, about 2 min 05 s left` */
function epochLine({ epoch, epochCount, loss, heldOutAccuracyPercent }: PretrainEpoch, spentMs: number): string {
  const parts = [`epoch ${epoch} of ${epochCount}`, `loss ${formatNumber(loss)}`];
  if (heldOutAccuracyPercent !== null) parts.push(`${heldOutAccuracyPercent.toFixed(1)} % right on held-out scenes`);
  if (epoch < epochCount) parts.push(`about ${formatSeconds(((epochCount - epoch) * spentMs) / epoch / 1000)} left`);
  return parts.join(", ");
}

/** What makes the same file again. */
function commandOf({ channels, scenes, epochs, size, seed, threads }: PretrainOptions): string {
  return (
    `npx kumiai pretrain --channels ${channels.join(",")} --scenes ${scenes} --epochs ${epochs} --size ${size} ` +
    `--seed ${seed} --threads ${threads} --out FILE`
  );
}
