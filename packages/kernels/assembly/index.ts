/**
 * The SIMD kernels, compiled to WebAssembly by `npm run build`. Twin of src/reference/kernels.ts: the same sums in the same
 * order, so the two agree bit for bit; src/simd/kernels.ts owns the memory and says what each function means.
 *
 * All `usize` arguments are byte addresses. f32 vectors begin at multiples of 16. A `table` holds u32 addresses of vectors.
 *
 * Order of inner products: blocks of BLOCK elements from the first on; within a block the products of even elements and those of
 * odd elements are summed apart, each from the first to the last; then even + odd; then block after block.
 */
export { fromBrain, fromHalf, toBrain, toHalf } from "./conversion";
export { addScaled, findNonFinite, subtract } from "./elementwise";
export { addDeltaGram, addGram, addNorms } from "./inner-products";
export { mix } from "./mix";
export { addWeighted, roundSums, weightedSums } from "./weighted-sums";
