/** Sums that are right because they are made of integers: slow, and independent of every kernel. */

/** Every finite f32 is a whole multiple of 2⁻¹⁴⁹. */
function units(x: number): bigint {
  return BigInt(x * 2 ** 149);
}

/** ⟨x, y⟩, rounded once to f64, and Σ|x_i·y_i|. Finite f32 only. */
export function exactProduct(x: Float32Array, y: Float32Array): { readonly sum: number; readonly magnitude: number } {
  let sum = 0n;
  let magnitude = 0n;
  for (let i = 0; i < x.length; i++) {
    const product = units(x[i] as number) * units(y[i] as number);
    sum += product;
    magnitude += product < 0n ? -product : product;
  }
  return { sum: Number(sum) * 2 ** -298, magnitude: Number(magnitude) * 2 ** -298 };
}

/** Σ_r factors_r·values_r rounded once to f64, and Σ_r |factors_r·values_r|. Factors are multiples of 2⁻⁴⁰, values f32. */
export function exactSum(
  factors: readonly number[],
  values: readonly number[],
): { readonly sum: number; readonly magnitude: number } {
  const terms = factors.map((factor, r) => BigInt(factor * 2 ** 40) * units(values[r] as number));
  const total = (all: readonly bigint[]): number =>
    Number(all.reduce((sum, term) => sum + term, 0n)) * 2 ** -149 * 2 ** -40;
  return { sum: total(terms), magnitude: total(terms.map((term) => (term < 0n ? -term : term))) };
}
