/** Clients whose params after training are one number all over: results of encoder mixing can be read off and worked out by hand. */
import type { ClientId } from "@kumiai/params";
import { createStrategy } from "../registry.js";
import type { ClientSpec, RoundOutput } from "../strategy.js";
import { encoderOf, paramsFor, specOf, updateOf } from "./federation.js";

/** One round of `name` over clients a, b, c, … that came from 0 to the given levels, each with one sample; encoders of 2 + 2·`width` numbers. `domains`: default one each. */
export function roundOfLevels(
  name: string,
  options: Readonly<Record<string, unknown>>,
  levels: readonly number[],
  {
    width = 3,
    domains = levels.map((_, i) => `d${i}`),
  }: { readonly width?: number; readonly domains?: readonly string[] } = {},
): {
  readonly clients: readonly ClientSpec[];
  readonly output: RoundOutput<unknown>;
  readonly encoders: readonly number[];
} {
  const clients = levels.map((_, i) => specOf({ id: String.fromCharCode(97 + i), domain: domains[i] ?? "", width }));
  const updates = clients.map((spec, i) => {
    const base = new Float32Array(spec.layout.size);
    return updateOf(
      spec,
      base,
      base.map(() => levels[i] ?? 0),
    );
  });
  const strategy = createStrategy(name, options);
  const output = strategy.aggregate(strategy.init(clients), { round: 1, clients, updates });
  return { clients, output, encoders: clients.map((spec) => levelOf(spec, output)) };
}

/** The number that the client's encoder is all over; throws where it is more than one. */
function levelOf(spec: ClientSpec, output: RoundOutput<unknown>): number {
  const values = new Set(encoderOf(spec, paramsFor(output, spec)));
  const [value] = values;
  if (values.size !== 1 || value === undefined) throw new Error(`${spec.id}: expected one level, found ${[...values]}`);
  return value;
}

/** Row of a client in the mixing that a round reports. */
export function mixingOf({ diagnostics }: RoundOutput<unknown>, client: string): readonly number[] {
  const { clients, values } = diagnostics.encoderMixing ?? { clients: [], values: new Float64Array() };
  const row = clients.indexOf(client as ClientId);
  return [...values.slice(row * clients.length, (row + 1) * clients.length)];
}
