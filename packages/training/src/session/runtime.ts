/** ONNX Runtime behind one small door: a compiled graph with its inputs and outputs bound to our own arrays. */
import { KumiaiError } from "@kumiai/params";
import { InferenceSession, Tensor } from "onnxruntime-node";
import type { InputArray } from "../types.js";

export interface RuntimeOptions {
  readonly threadCount: number;
}

/** Compiles `model`. Throws MODEL_INVALID with ONNX Runtime's words if it refuses the graph. */
export async function compile(model: Uint8Array, { threadCount }: RuntimeOptions): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(model, {
      executionProviders: ["cpu"],
      intraOpNumThreads: threadCount,
      interOpNumThreads: 1,
      executionMode: "sequential",
      graphOptimizationLevel: "all",
      logSeverityLevel: 3,
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new KumiaiError("MODEL_INVALID", `ONNX Runtime refuses the graph: ${reason}`, {}, cause);
  }
}

/** A tensor over `array`: ONNX Runtime reads and writes the array itself, there is no copy. */
export function bind(array: InputArray, shape: readonly number[]): Tensor {
  if (array instanceof Float32Array) return new Tensor("float32", array, shape);
  if (array instanceof Int32Array) return new Tensor("int32", array, shape);
  return new Tensor("uint8", array, shape);
}

type Tensors = Readonly<Record<string, Tensor>>;

/**
 * Runs a compiled graph, writing into `outputs`. Throws DATA_MALFORMED with ONNX Runtime's words if it stops: the graph has
 * been accepted, so it is the values that it cannot take, such as an index beyond a table.
 */
export async function runGraph(session: InferenceSession, inputs: Tensors, outputs: Tensors): Promise<void> {
  try {
    await session.run(inputs, outputs);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new KumiaiError("DATA_MALFORMED", `ONNX Runtime cannot compute with these inputs: ${reason}`, {}, cause);
  }
}

export type { InferenceSession, Tensor };
