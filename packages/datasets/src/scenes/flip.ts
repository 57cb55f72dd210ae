/**
 * Labels that contradict those of other sites (conflicting tasks). Flipping twice gives back every bit.
 *
 *   classes     c → K − c for the foreground, 1 to K − 1; the background 0, and whatever is no class, stay
 *   mask        y → 1 − y
 *   scalar      y → −y: labels are centered, so depth d becomes 2·0.9 − d (far is near)
 *   unitVector  x → −x: what leaned left leans right
 */
import type { LabelKind } from "../types.js";

/** `values`: labels [planes, pixels] of one scene. */
export function flipLabelsInPlace(label: LabelKind, values: Uint8Array | Float32Array): void {
  switch (label.kind) {
    case "classes":
      for (let i = 0; i < values.length; i++) {
        const held = values[i];
        if (held > 0 && held < label.classCount) values[i] = label.classCount - held;
      }
      return;
    case "mask":
      for (let i = 0; i < values.length; i++) values[i] = 1 - values[i];
      return;
    case "scalar":
      for (let i = 0; i < values.length; i++) values[i] = -values[i];
      return;
    case "unitVector":
      for (let i = 0; i < values.length / 3; i++) values[i] = -values[i];
      return;
  }
}
