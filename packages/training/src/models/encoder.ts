/** The residual encoder with group norm that dense models and classifiers share. */
import { add, relu } from "../graph/functions.js";
import type { Tensor } from "../graph/tensor.js";
import type { Scope } from "../model/scope.js";

export interface EncoderOptions {
  /** Channels of the stages; the first stage works at half the input's resolution, each next one at half the one before. */
  readonly channels: readonly number[];
  /** Residual blocks per stage. Default 1. */
  readonly blocks?: number;
  /** Scale and shift of its norms belong to the site, role `stem`, as in FedBN (Li et al. 2021, arXiv 2102.07623). Default: to the encoder. */
  readonly hasOwnNorms?: boolean;
}

/** Channels per group of a group norm; channels that this does not divide make one group. */
const GROUP_WIDTH = 8;

/** Outputs of all stages, finest first. x [B, 3, H, W] → [B, channels[i], H / 2^(i + 1), W / 2^(i + 1)]. */
export function residualEncoder(scope: Scope, image: Tensor, options: EncoderOptions): readonly Tensor[] {
  const { channels, blocks = 1, hasOwnNorms = false } = options;
  const out = channels[0] ?? 0;
  const stem = scope.in("stem").conv2d("conv", image, { out, kernel: 3, stride: 2, padding: 1, bias: false });
  let x = relu(channelNorm(scope.in("stem"), "norm", stem, hasOwnNorms));
  return channels.map((width, stage) => {
    for (let block = 0; block < blocks; block++) {
      const stride = stage > 0 && block === 0 ? 2 : 1;
      x = residualBlock(scope.in(`stages.${stage}.${block}`), x, { out: width, stride, hasOwnNorms });
    }
    return x;
  });
}

/** Group norm. */
export function channelNorm(scope: Scope, name: string, x: Tensor, isOwn = false): Tensor {
  const channels = x.shape[1] ?? 0;
  const groups = channels % GROUP_WIDTH === 0 ? channels / GROUP_WIDTH : 1;
  return (isOwn ? scope.own() : scope).groupNorm(name, x, { groups });
}

interface BlockOptions {
  readonly out: number;
  readonly stride: number;
  readonly hasOwnNorms: boolean;
}

function residualBlock(scope: Scope, x: Tensor, { out, stride, hasOwnNorms }: BlockOptions): Tensor {
  const first = scope.conv2d("conv1", x, { out, kernel: 3, stride, padding: 1, bias: false });
  const hidden = relu(channelNorm(scope, "norm1", first, hasOwnNorms));
  const second = scope.conv2d("conv2", hidden, { out, kernel: 3, padding: 1, bias: false });
  const branch = channelNorm(scope, "norm2", second, hasOwnNorms);
  const isSame = stride === 1 && x.shape[1] === out;
  return relu(add(branch, isSame ? x : scope.conv2d("shortcut", x, { out, kernel: 1, stride, bias: false })));
}
