/**
 * Reference that no federation could run: one model trained on everybody's data, encoders being one and decoders one per
 * (domain, task). It shows how much there is to win. `aggregate` only hands the copies back.
 * Traffic: none is counted; what pooling would move is the data themselves.
 */
import { assertSameDecoders, assertSameEncoders } from "../cohort.js";
import { defineStrategy } from "../define-strategy.js";
import type { Strategy } from "../strategy.js";
import { defineForRegistry } from "./definition.js";
import { LOCAL } from "./local.js";

export function createPooled(): Strategy<null> {
  return defineStrategy({
    ...LOCAL,
    name: "pooled",
    training: "pooled",
    init(clients) {
      assertSameEncoders(clients);
      assertSameDecoders(clients, ({ domain }, task) => JSON.stringify([domain, task]));
      return null;
    },
  });
}

export const pooledDefinition = defineForRegistry({
  name: "pooled",
  summary: "reference: one model trained on the data of all sites, which a federation may not do",
  source: "reference for the headroom",
  create: createPooled,
});
