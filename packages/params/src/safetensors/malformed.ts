import { KumiaiError } from "../errors.js";

export interface Complaint {
  /** The file, as the reader knows it. */
  readonly file: string;
  /** Absent: the fault is in the file as a whole. */
  readonly tensor?: string;
  readonly expected: string;
  readonly found: string;
}

/** SAFETENSORS_MALFORMED with the file, the tensor, what was expected and what was found. */
export function malformed({ file, tensor, expected, found }: Complaint): KumiaiError {
  const where = tensor === undefined ? file : `${file}: tensor ${JSON.stringify(tensor)}`;
  return new KumiaiError(
    "SAFETENSORS_MALFORMED",
    `${where}: expected ${expected}, found ${found}; the file may be cut off or damaged, fetch or write it again`,
    { file, ...(tensor === undefined ? {} : { tensor }), expected, found },
  );
}

/** A short text of any JSON value. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
