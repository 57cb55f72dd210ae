import { expect, test } from "vitest";
import { createStrategy, STRATEGIES } from "../registry.js";
import { paramsFor, specOf, updatesOf } from "../testing/federation.js";

/** Names that every object inherits, names that look like numbers, names whose order depends on how they are compared. */
const ODD = [
  specOf({ id: "constructor", tasks: ["valueOf", "toString"] }),
  specOf({ id: "10", tasks: ["valueOf"] }),
  specOf({ id: "9", tasks: ["hasOwnProperty"] }),
  specOf({ id: "B", tasks: ["1"] }),
  specOf({ id: "a", tasks: ["1", "0"] }),
];

/** The same federation under plain names that stand in the same order. */
const PLAIN_IDS = { constructor: "e", "10": "a", "9": "b", B: "c", a: "d" } as const;
const PLAIN = ODD.map(({ id, tasks }) => specOf({ id: PLAIN_IDS[id as keyof typeof PLAIN_IDS], tasks }));

test.each(Object.keys(STRATEGIES))("%s gives the same params whatever clients are called", (name) => {
  const play = (clients: typeof ODD) => {
    const strategy = createStrategy(name);
    let state = strategy.init(clients);
    let params: readonly Float32Array[] = [];
    for (let round = 1; round <= 3; round++) {
      // Numbers by place, so that both federations train alike.
      const updates = updatesOf(ODD, round).map((update, i) => ({
        ...update,
        client: clients[i]?.id ?? update.client,
      }));
      const output = strategy.aggregate(state, { round, clients, updates });
      state = structuredClone(output.state);
      params = clients.map((client) => paramsFor(output, client));
    }
    return params;
  };
  expect(play(ODD)).toEqual(play(PLAIN));
});
