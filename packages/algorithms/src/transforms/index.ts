export { decodeUpdate, encodeUpdate, isLossless, type UpdateCodec } from "./codec.js";
export { type SendOptions, type Sent, sendUpdate } from "./error-feedback.js";
export { CODEC_NAMES, type CodecName, FRAME_HEADER_BYTES } from "./frame.js";
export type { ValueCodec } from "./values.js";
