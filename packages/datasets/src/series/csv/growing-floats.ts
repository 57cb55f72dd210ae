/** A Float64Array whose length need not be known beforehand: it doubles, so that a value costs at most two copies. */
export class GrowingFloats {
  #values = new Float64Array(1024);
  #length = 0;

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = new Float64Array(2 * this.#length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length++] = value;
  }

  at(index: number): number {
    return this.#values[index] ?? Number.NaN;
  }

  /** Rows of `width` values in the given order. */
  picked(order: Uint32Array, width = 1): Float64Array {
    const out = new Float64Array(order.length * width);
    order.forEach((row, i) => {
      for (let c = 0; c < width; c++) out[i * width + c] = this.at(row * width + c);
    });
    return out;
  }
}
