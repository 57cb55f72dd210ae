/** A typed array whose length need not be known beforehand: it doubles, so that a value costs at most two copies. */
export class GrowingFloats<A extends Float32Array | Float64Array> {
  readonly #make: new (
    length: number,
  ) => A;
  #values: A;
  #length = 0;

  constructor(make: new (length: number) => A) {
    this.#make = make;
    this.#values = new make(1024);
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = new this.#make(2 * this.#length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length++] = value;
  }

  at(index: number): number {
    return this.#values[index] ?? Number.NaN;
  }

  /** Rows of `width` values in the given order. */
  picked(order: Uint32Array, width = 1): A {
    const out = new this.#make(order.length * width);
    order.forEach((row, i) => {
      for (let c = 0; c < width; c++) out[i * width + c] = this.at(row * width + c);
    });
    return out;
  }
}
