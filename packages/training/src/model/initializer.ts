/** Initial values of parameters. */
import { KumiaiError, type Rng } from "@kumiai/params";

export type Initializer =
  | { readonly kind: "constant"; readonly value: number }
  | { readonly kind: "normal"; readonly std: number }
  | { readonly kind: "uniform"; readonly bound: number };

export const ZEROS: Initializer = { kind: "constant", value: 0 };
export const ONES: Initializer = { kind: "constant", value: 1 };

/** How a layer's weight starts: `he` for layers that a ReLU follows, `xavier` for the rest, or any initializer. */
export type WeightInit = "he" | "xavier" | Initializer;

export function weightInitializer(init: WeightInit, fanIn: number, fanOut: number): Initializer {
  if (init === "he") return { kind: "normal", std: Math.sqrt(2 / fanIn) };
  if (init === "xavier") return { kind: "uniform", bound: Math.sqrt(6 / (fanIn + fanOut)) };
  if (!["constant", "normal", "uniform"].includes(init?.kind)) {
    throw new KumiaiError(
      "MODEL_INVALID",
      `init: expected "he", "xavier" or an initializer of kind constant, normal or uniform, received ${JSON.stringify(init)}`,
    );
  }
  return init;
}

export function fillInto(target: Float32Array, initializer: Initializer, rng: Rng): void {
  switch (initializer.kind) {
    case "constant":
      target.fill(initializer.value);
      return;
    case "normal":
      for (let i = 0; i < target.length; i++) target[i] = initializer.std * rng.normal();
      return;
    case "uniform":
      for (let i = 0; i < target.length; i++) target[i] = initializer.bound * (2 * rng.uniform() - 1);
  }
}
