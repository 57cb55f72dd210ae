/** What every model that PyTorch trained for ten steps must show here too. */
import { expect, test } from "vitest";
import type { Model } from "../types.js";
import { type Deviation, type TorchFixture, worstOf } from "./torch-fixture.js";

export interface TorchParity {
  readonly fixture: TorchFixture;
  readonly model: Model;
  /** The ten steps, run once for all tests. */
  readonly run: Promise<Deviation>;
  /** Largest difference allowed in a slot, relative to that slot's largest movement. */
  readonly movementTolerance: number;
}

/** Tolerances: losses 2e-6 and gradient norms 1e-5 relative, outputs 1e-5 of the largest, slots as given. */
export function torchParityContract({ fixture, model, run, movementTolerance }: TorchParity): void {
  test("has the fixture's slots", () => {
    expect(model.layout.slots).toHaveLength(fixture.countIn("initial"));
  });

  test("gives the same losses at ten steps (2e-6 relative)", async () => {
    expect((await run).losses).toBeLessThan(2e-6);
  });

  test("gives the same gradient norm at ten steps (1e-5 relative)", async () => {
    expect((await run).gradientNorm).toBeLessThan(1e-5);
  });

  test.each(["step1", "step10"] as const)(
    `moves every slot alike by %s, running statistics too (${movementTolerance} of the slot's largest movement)`,
    async (step) => {
      const { deviation, slot } = worstOf((await run)[step]);
      expect(deviation, slot).toBeLessThan(movementTolerance);
    },
  );

  test("predicts the same in evaluation mode (1e-5 of the largest output)", async () => {
    expect((await run).outputs).toBeLessThan(1e-5);
  });
}
