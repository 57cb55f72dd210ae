import { parseTaskId } from "@kumiai/params";
import { describe, expect, test } from "vitest";
import { add, attention, gelu, mean } from "../graph/functions.js";
import type { Tensor } from "../graph/tensor.js";
import { defineModel } from "../model/define-model.js";
import type { Scope } from "../model/scope.js";
import { torchParityContract } from "../testing/torch.contract.js";
import { TorchFixture, worstOf } from "../testing/torch-fixture.js";
import type { SessionOptions } from "../types.js";

const TOPIC = parseTaskId("topic");
const WIDTH = 32;

/** Pre-norm; no bias on keys, as in the fixture: softmax takes it away again, so its true gradient is 0. */
function block(scope: Scope, x: Tensor): Tensor {
  const normed = scope.layerNorm("norm1", x);
  const [query, value] = ["query", "value"].map((name) => scope.linear(name, normed, { out: WIDTH })) as [
    Tensor,
    Tensor,
  ];
  const key = scope.linear("key", normed, { out: WIDTH, bias: false });
  const attended = add(x, scope.linear("proj", attention(query, key, value, { headCount: 4 }), { out: WIDTH }));
  const hidden = gelu(scope.linear("mlp1", scope.layerNorm("norm2", attended), { out: 2 * WIDTH }));
  return add(attended, scope.linear("mlp2", hidden, { out: WIDTH }));
}

/** `Transformer` of fixtures/training/models.py. */
const model = defineModel((builder) => {
  const encoder = builder.encoder();
  const tokens = builder.input("tokens", [12], "i32");
  const embedded = encoder.embedding("embedding", tokens, { count: 24, width: WIDTH });
  const x = block(encoder.in("block1"), block(encoder.in("block0"), embedded));
  const logits = builder.head(TOPIC).linear("out", mean(x, { axes: [1] }), { out: 5 });
  builder.task(TOPIC, logits, { kind: "crossEntropy" });
});

const OPTIONS: SessionOptions = { batchSize: 8, optimizer: { kind: "adamw", weightDecay: 0.01 } };
const INPUTS = { tokens: "tokens", "label.topic": "topic" };

describe("transformer against PyTorch", () => {
  const fixture = new TorchFixture("transformer");
  const run = fixture.compare({ model, options: OPTIONS, inputs: INPUTS });

  torchParityContract({ fixture, model, run, movementTolerance: 1e-4 });

  test("notices a weight decay of 0.012 instead of 0.01 (above 1e-4)", async () => {
    const optimizer = { kind: "adamw", weightDecay: 0.012 } as const;
    const wrong = await fixture.compare({ model, options: { ...OPTIONS, optimizer }, inputs: INPUTS });
    expect(worstOf(wrong.step10).deviation).toBeGreaterThan(1e-4);
  });
});
