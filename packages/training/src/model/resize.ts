/** Changing the resolution of feature maps. */
import { opError, type Tensor } from "../graph/tensor.js";

/** Bilinear with half-pixel centers. x [B, C, H, W] → [B, C, height, width]. */
export function bilinearResize(
  x: Tensor,
  { height, width }: { readonly height: number; readonly width: number },
): Tensor {
  if (x.shape.length === 4 && x.shape[2] === height && x.shape[3] === width) return x;
  return x.graph.apply("bilinearResize", [x], { size: [height, width] });
}

/** Every element repeated `scale` times along each axis after the channels. */
export function nearestResize(x: Tensor, scale: number): Tensor {
  if (!Number.isSafeInteger(scale) || scale < 1) throw opError("nearestResize", [x], `cannot scale by ${scale}`);
  return scale === 1 ? x : x.graph.apply("nearestResize", [x], { scale });
}
