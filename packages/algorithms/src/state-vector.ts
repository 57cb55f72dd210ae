/**
 * Long vectors in a strategy's state. A strategy hands them on without looking inside: in memory they are arrays, in a round over
 * files they are names of tensors in the state's own file.
 */

/** A vector of the state that lies in a file: tensor `name` of the state's safetensors file. */
export class StoredVector {
  readonly name: string;
  /** Element count. */
  readonly length: number;

  constructor(name: string, length: number) {
    this.name = name;
    this.length = length;
  }
}

export type StateVector = Float32Array | StoredVector;

export function isStoredVector(value: unknown): value is StoredVector {
  return value instanceof StoredVector;
}

/** All vectors in a file that `state`, plain data otherwise, holds anywhere; each once. */
export function storedVectorsOf(state: unknown): readonly StoredVector[] {
  const found = new Map<string, StoredVector>();
  const visit = (value: unknown): void => {
    if (isStoredVector(value)) found.set(value.name, value);
    else if (typeof value === "object" && value !== null && !ArrayBuffer.isView(value))
      Object.values(value).forEach(visit);
  };
  visit(state);
  return [...found.values()];
}
