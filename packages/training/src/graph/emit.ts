/** Writes a graph as an ONNX model: only what the outputs need, every tensor once. */
import onnxProto from "onnx-proto";
import { opNamed } from "./registry.js";
import type { DType, Tensor } from "./tensor.js";

const { onnx } = onnxProto;

const OPSET_VERSION = 17;
const CONTRIB_DOMAIN = "com.microsoft";

export type OnnxAttribute = number | string | readonly number[];

export interface NodeOptions {
  /** Integers; a list becomes INTS. */
  readonly ints?: Readonly<Record<string, number | readonly number[]>>;
  readonly floats?: Readonly<Record<string, number>>;
  readonly strings?: Readonly<Record<string, string>>;
  /** An op of ONNX Runtime's own domain. */
  readonly contrib?: boolean;
}

/** What an op's `emit` may do. */
export interface Emitter {
  /** Adds a node with one output and returns the output's name. */
  node(type: string, inputs: readonly string[], options?: NodeOptions): string;
  /** Adds a node with several outputs. */
  nodes(type: string, inputs: readonly string[], outputCount: number, options?: NodeOptions): readonly string[];
  /** The parts of a vector, in order; one node for all who ask for the same parts. */
  split(vector: string, sizes: readonly number[]): readonly string[];
  int64s(values: readonly number[]): string;
  floats(values: Float32Array | readonly number[], shape: readonly number[]): string;
  int32s(values: Int32Array | readonly number[], shape: readonly number[]): string;
  /** Declares a graph input. */
  input(name: string, dtype: DType, shape: readonly number[]): string;
}

export interface OnnxOutput {
  readonly name: string;
  readonly tensor: Tensor;
}

/** The bytes of an ONNX model with the given outputs; its inputs are those `input` tensors that the outputs need. */
export function emitOnnx(name: string, outputs: readonly OnnxOutput[]): Uint8Array {
  const writer = new OnnxWriter();
  const names = new Map<Tensor, string>();
  const lowered = new Map<Tensor, Tensor>();
  for (const tensor of inOrder(
    outputs.map((output) => output.tensor),
    lowered,
  )) {
    const inputs = tensor.inputs.map((input) => names.get(input) ?? "");
    const op = opNamed(tensor.op);
    if (op.emit !== undefined) names.set(tensor, op.emit(writer, tensor, inputs));
    else names.set(tensor, names.get(lowered.get(tensor) ?? tensor) ?? "");
  }
  for (const output of outputs) writer.output(output.name, output.tensor, names.get(output.tensor) ?? "");
  return writer.finish(name);
}

/** Every tensor that `roots` need, inputs first; a lowered op stands after what it is made of (entered in `lowered`). */
function inOrder(roots: readonly Tensor[], lowered: Map<Tensor, Tensor>): readonly Tensor[] {
  const order: Tensor[] = [];
  const seen = new Set<Tensor>();
  const visit = (tensor: Tensor): void => {
    if (seen.has(tensor)) return;
    seen.add(tensor);
    const op = opNamed(tensor.op);
    if (op.emit === undefined && op.lower !== undefined) {
      const made = op.lower(tensor);
      lowered.set(tensor, made);
      visit(made);
    } else {
      tensor.inputs.forEach(visit);
    }
    order.push(tensor);
  };
  roots.forEach(visit);
  return order;
}

const ELEMENT_TYPES = { f32: 1, i32: 6, u8: 2 } as const satisfies Record<DType, number>;
const INT64 = 7;

class OnnxWriter implements Emitter {
  readonly #nodes: InstanceType<typeof onnx.NodeProto>[] = [];
  readonly #initializers = new Map<string, InstanceType<typeof onnx.TensorProto>>();
  readonly #inputs: InstanceType<typeof onnx.ValueInfoProto>[] = [];
  readonly #outputs: InstanceType<typeof onnx.ValueInfoProto>[] = [];
  readonly #splits = new Map<string, readonly string[]>();
  #count = 0;

  node(type: string, inputs: readonly string[], options: NodeOptions = {}): string {
    return this.nodes(type, inputs, 1, options)[0] ?? "";
  }

  nodes(type: string, inputs: readonly string[], outputCount: number, options: NodeOptions = {}): readonly string[] {
    const outputs = Array.from({ length: outputCount }, () => `t${this.#count++}`);
    this.#nodes.push(
      onnx.NodeProto.create({
        name: `${type}_${this.#nodes.length}`,
        opType: type,
        domain: options.contrib === true ? CONTRIB_DOMAIN : "",
        input: [...inputs],
        output: outputs,
        attribute: attributesOf(options),
      }),
    );
    return outputs;
  }

  split(vector: string, sizes: readonly number[]): readonly string[] {
    if (sizes.length === 1) return [vector];
    const key = `${vector} ${sizes.join()}`;
    const known = this.#splits.get(key);
    if (known !== undefined) return known;
    const parts = this.nodes("Split", [vector, this.int64s(sizes)], sizes.length, { ints: { axis: 0 } });
    this.#splits.set(key, parts);
    return parts;
  }

  int64s(values: readonly number[]): string {
    const bytes = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    return this.#initializer(`i64_${values.join("_")}`, INT64, [values.length], bytes);
  }

  floats(values: Float32Array | readonly number[], shape: readonly number[]): string {
    const array = Float32Array.from(values);
    const name = array.length === 1 ? `f32_${shape.length}_${array[0]}` : `c${this.#count++}`;
    return this.#initializer(name, ELEMENT_TYPES.f32, shape, new Uint8Array(array.buffer));
  }

  int32s(values: Int32Array | readonly number[], shape: readonly number[]): string {
    return this.#initializer(
      `c${this.#count++}`,
      ELEMENT_TYPES.i32,
      shape,
      new Uint8Array(Int32Array.from(values).buffer),
    );
  }

  input(name: string, dtype: DType, shape: readonly number[]): string {
    this.#inputs.push(valueInfo(name, dtype, shape));
    return name;
  }

  output(name: string, tensor: Tensor, from: string): void {
    // An Identity gives the output its own name even if it is an input, or two outputs are the same tensor.
    this.#nodes.push(onnx.NodeProto.create({ name: `out_${name}`, opType: "Identity", input: [from], output: [name] }));
    this.#outputs.push(valueInfo(name, tensor.dtype, tensor.shape));
  }

  finish(name: string): Uint8Array {
    const model = onnx.ModelProto.create({
      irVersion: 8,
      producerName: "kumiai",
      opsetImport: [
        onnx.OperatorSetIdProto.create({ domain: "", version: OPSET_VERSION }),
        onnx.OperatorSetIdProto.create({ domain: CONTRIB_DOMAIN, version: 1 }),
      ],
      graph: onnx.GraphProto.create({
        name,
        node: this.#nodes,
        initializer: [...this.#initializers.values()],
        input: this.#inputs,
        output: this.#outputs,
      }),
    });
    return onnx.ModelProto.encode(model).finish();
  }

  #initializer(name: string, dataType: number, dims: readonly number[], rawData: Uint8Array): string {
    if (!this.#initializers.has(name)) {
      this.#initializers.set(name, onnx.TensorProto.create({ name, dataType, dims: [...dims], rawData }));
    }
    return name;
  }
}

function attributesOf(options: NodeOptions) {
  const { AttributeProto } = onnx;
  const { AttributeType } = AttributeProto;
  const ints = Object.entries(options.ints ?? {}).map(([name, value]) =>
    typeof value === "number"
      ? AttributeProto.create({ name, type: AttributeType.INT, i: value })
      : AttributeProto.create({ name, type: AttributeType.INTS, ints: [...value] }),
  );
  const floats = Object.entries(options.floats ?? {}).map(([name, f]) =>
    AttributeProto.create({ name, type: AttributeType.FLOAT, f }),
  );
  const strings = Object.entries(options.strings ?? {}).map(([name, text]) =>
    AttributeProto.create({ name, type: AttributeType.STRING, s: new TextEncoder().encode(text) }),
  );
  return [...ints, ...floats, ...strings];
}

function valueInfo(name: string, dtype: DType, shape: readonly number[]) {
  return onnx.ValueInfoProto.create({
    name,
    type: { tensorType: { elemType: ELEMENT_TYPES[dtype], shape: { dim: shape.map((dimValue) => ({ dimValue })) } } },
  });
}
