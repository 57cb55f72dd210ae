import { parseTaskId } from "@kumiai/params";
import { describe } from "vitest";
import { leakyRelu, sigmoid, silu } from "../graph/functions.js";
import { defineModel } from "../model/define-model.js";
import { torchParityContract } from "../testing/torch.contract.js";
import { TorchFixture } from "../testing/torch-fixture.js";
import type { SessionOptions, StepInput } from "../types.js";

const WEAR = parseTaskId("wear");
const HEAT = parseTaskId("heat");

/** `Mlp` of fixtures/training/models.py; the dropout has rate 0. */
const model = defineModel((builder) => {
  const encoder = builder.encoder();
  const first = silu(encoder.linear("fc1", builder.input("features", [20]), { out: 32 }));
  const x = builder.dropout(leakyRelu(encoder.linear("fc2", first, { out: 24 }), 0.1), 0);
  const wear = sigmoid(builder.decoder(WEAR).linear("fc", x, { out: 16 }));
  builder.task(WEAR, builder.head(WEAR).linear("out", wear, { out: 3 }), { kind: "smoothL1" });
  const heat = silu(builder.decoder(HEAT).linear("fc", x, { out: 16 }));
  builder.task(HEAT, builder.head(HEAT).linear("out", heat, { out: 2 }), { kind: "mse", lossWeight: 0.5 });
});

const OPTIONS: SessionOptions = { batchSize: 16, optimizer: { kind: "sgd", momentum: 0.9, weightDecay: 5e-3 } };
const INPUTS = { features: "features", "label.wear": "wear", "label.heat": "heat" };

/** A proximal pull in every step; the decoders are frozen in steps 4 to 6. */
function stepOptions(step: number, fixture: TorchFixture): Partial<StepInput> {
  const anchor = fixture.vector("anchor", model.layout);
  return { proximalWeight: 0.2, anchor, ...(step >= 3 && step < 6 ? { frozen: ["decoder"] } : {}) };
}

describe("MLP with a proximal term and a frozen group against PyTorch", () => {
  const fixture = new TorchFixture("mlp");
  const run = fixture.compare({ model, options: OPTIONS, inputs: INPUTS, stepOptions });

  torchParityContract({ fixture, model, run, movementTolerance: 2e-5 });
});
