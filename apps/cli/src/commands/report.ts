/** `kumiai report`: the three figures for a decision, from the result of a comparison. */
import { join } from "node:path";
import { KumiaiError, nearestWord, writeFileAtomic } from "@kumiai/params";
import type { ComparisonResult, Language } from "@kumiai/simulator";
import { Command, Option } from "commander";
import { parsePath } from "../parse.js";
import type { CommandContext } from "../program.js";

interface ReportFlags {
  readonly lang: "en" | "ja" | "both";
  readonly strategy?: string;
  readonly scenario?: string;
  readonly out?: string;
}

const LANGUAGES: Readonly<Record<ReportFlags["lang"], readonly Language[]>> = {
  en: ["en"],
  ja: ["ja"],
  both: ["en", "ja"],
};

export function reportCommand({ io }: CommandContext): Command {
  return new Command("report")
    .summary("accuracy, cost and privacy risk of a comparison, and what follows")
    .description(
      "Reads DIR/result.json and says in three figures what taking part brings: accuracy for each site and task, communication and " +
        "cost, privacy risk; and by the scenario's thresholds whether to go on, to change something or to stop. Prints the " +
        "summary and writes DIR/decision.html.",
    )
    .argument("<DIR>", "folder that `kumiai compare` wrote", parsePath)
    .addOption(new Option("--lang <LANG>", "language").choices(["en", "ja", "both"]).default("both"))
    .addOption(
      new Option(
        "--strategy <NAME>",
        "the strategy to decide on (default: the thresholds', or the best federated one)",
      ),
    )
    .addOption(
      new Option(
        "--scenario <FILE>",
        "take `prices` and `thresholds` from this file; none of the result's are used then",
      ).argParser(parsePath),
    )
    .addOption(new Option("-o, --out <FILE>", "the page (default: DIR/decision.html)").argParser(parsePath))
    .action(async (dir: string, { lang, strategy, scenario: file, out = join(dir, "decision.html") }: ReportFlags) => {
      // Loaded only now, so that `--help` answers at once.
      const { loadResult, loadScenario, renderDecision } = await import("@kumiai/simulator");
      const result = await loadResult(join(dir, "result.json"));
      const scenario = file === undefined ? undefined : await loadScenario(file);
      if (strategy !== undefined && !Object.hasOwn(result.strategies, strategy)) throw notInResult(strategy, result);
      const decision = renderDecision(result, {
        languages: LANGUAGES[lang],
        strategy,
        limits: scenario && { file: file ?? "", prices: scenario.prices, thresholds: scenario.thresholds },
      });
      if (decision === null) throw nothingToDecide(result);
      await writeFileAtomic(out, decision.page);
      io.out(`${decision.text}\npage  ${io.colors.bold(out)}\n`);
    });
}

function notInResult(name: string, { strategies }: ComparisonResult): KumiaiError {
  const known = Object.keys(strategies);
  const nearest = nearestWord(name, known);
  return new KumiaiError(
    "UNKNOWN_STRATEGY",
    `strategy: expected one that was run (${known.join(", ")}), received "${name}"; ${
      nearest === undefined ? "name one of these" : `did you mean "${nearest}"?`
    }`,
    { received: name },
  );
}

function nothingToDecide({ strategies }: ComparisonResult): KumiaiError {
  return new KumiaiError(
    "UNKNOWN_STRATEGY",
    `strategy: expected a federated one to decide on, received only ${Object.keys(strategies).join(", ")}; run one, or name one with --strategy`,
  );
}
