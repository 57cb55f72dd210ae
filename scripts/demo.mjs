/**
 * `npm run demo`: six sites with overlapping tasks, alone and together, in under three minutes.
 * `npm run demo -- --full`: both scenarios, more strategies, five seeds (about half an hour). Other arguments go to `kumiai compare`.
 */
import { join } from "node:path";
import { ensure, script } from "./lib/ensure.mjs";
import { runNode } from "./lib/run.mjs";
import { complain, root, say } from "./lib/say.mjs";

/** Few rounds and three seeds: enough to see it work, too little to conclude from. */
const SHORT = {
  file: "examples/scenes/overlap.yaml",
  strategies: "local,fedavg,fedhca2,cooperative",
  seeds: "1,2,3",
  out: "runs/demo",
  rounds: 8,
};

const FULL_STRATEGIES = "local,fedavg,fedavg-all,fedprox,self-extrapolation,fedhca2,cooperative,pooled";
const FULL_SEEDS = "1,2,3,4,5";
const FULL = ["paper", "overlap"].map((scenario) => ({
  file: `examples/scenes/${scenario}.yaml`,
  strategies: FULL_STRATEGIES,
  seeds: FULL_SEEDS,
  out: `runs/full/${scenario}`,
  rounds: undefined,
}));

function compare({ file, strategies, seeds, out, rounds }, more) {
  const shortened = rounds === undefined ? [] : ["--rounds", String(rounds)];
  const args = ["compare", file, "--strategies", strategies, "--seeds", seeds, ...shortened, "--out", out, ...more];
  say(`> npx kumiai ${args.join(" ")}`);
  return runNode(join(root, "apps", "cli", "bin", "kumiai.js"), args);
}

await script(async (args) => {
  if (args.includes("--full") && args.some((arg) => /^(?:-o|--out)/.test(arg))) {
    complain(`demo: --full writes two results, to ${FULL.map(({ out }) => out).join(" and ")}; leave --out away`);
    return 2;
  }
  await ensure();
  const isFull = args.includes("--full");
  if (!isFull) {
    say(
      `demo: ${SHORT.rounds} rounds, somewhat over a minute; the README's numbers (25 rounds, five seeds): npm run demo -- --full`,
    );
  }
  const comparisons = isFull ? FULL : [SHORT];
  for (const comparison of comparisons) {
    const status = await compare(
      comparison,
      args.filter((arg) => arg !== "--full"),
    );
    if (status !== 0) return status;
  }
  return 0;
});
