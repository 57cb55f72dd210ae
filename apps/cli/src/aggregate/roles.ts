/**
 * What part a tensor plays, from its name. In a pattern `*` stands for any text and `<task>` for a task's name. The first pattern that
 * fits decides, in the order encoder, decoder, head; what fits none is private to the site, as heads are.
 *
 * Clients may call the same thing differently: what the last `*` of a pattern stands for is the tensor's name within its group, so
 * `backbone.conv.weight` of one and `encoder.conv.weight` of another are the same encoder tensor.
 */
import {
  createLayout,
  KumiaiError,
  type ParamLayout,
  type ParamRole,
  type ParamSlotSpec,
  type TaskId,
  type TensorInfo,
} from "@kumiai/params";

export interface RolePatterns {
  readonly encoder: readonly string[];
  readonly decoder: readonly string[];
  readonly head: readonly string[];
}

export const DEFAULT_ROLES: RolePatterns = {
  encoder: ["backbone.*", "encoder.*"],
  decoder: ["decoders.<task>.*"],
  head: ["heads.<task>.*"],
};

export interface Roles {
  /** Throws LAYOUT_MISMATCH for a decoder or head of a task that the client does not have. */
  roleOf(tensor: string, about: ModelFile): Found;
}

/** Whose file it is. */
export interface ModelFile {
  readonly file: string;
  readonly tasks: readonly TaskId[];
}

interface Found {
  readonly role: ParamRole;
  /** The tensor's name as all clients have it. */
  readonly name: string;
}

export function compileRoles({ encoder, decoder, head }: RolePatterns): Roles {
  const kinds = [
    ...encoder.map((pattern) => ({ kind: "encoder" as const, pattern: compile(pattern) })),
    ...decoder.map((pattern) => ({ kind: "decoder" as const, pattern: compile(pattern) })),
    ...head.map((pattern) => ({ kind: "head" as const, pattern: compile(pattern) })),
  ];
  return {
    roleOf(tensor, about) {
      for (const { kind, pattern } of kinds) {
        const found = pattern.exec(tensor);
        if (found === null) continue;
        const rest = found.groups?.rest ?? tensor;
        if (kind === "encoder") return { role: { kind }, name: `encoder.${rest}` };
        const task = taskOf(tensor, found.groups?.task ?? "", about);
        return { role: { kind, task }, name: `${kind}s.${task}.${rest}` };
      }
      return { role: { kind: "buffer" }, name: `private.${tensor}` };
    },
  };
}

function taskOf(tensor: string, name: string, { file, tasks }: ModelFile): TaskId {
  const task = tasks.find((each) => each === name);
  if (task !== undefined) return task;
  const expected = `a task of the client (${tasks.join(", ")})`;
  throw new KumiaiError(
    "LAYOUT_MISMATCH",
    `${file}: tensor ${JSON.stringify(tensor)}: expected ${expected}, found "${name}"; list the task for this client, or change roles in the federation file`,
    { file, tensor, expected, found: name },
  );
}

/** `*` of the whole pattern but the last are without a name; `<task>` holds no dot. */
function compile(pattern: string): RegExp {
  const last = pattern.lastIndexOf("*");
  let text = "";
  for (let at = 0; at < pattern.length; at++) {
    if (pattern.startsWith("<task>", at)) {
      text += "(?<task>[^.]+)";
      at += "<task>".length - 1;
    } else if (pattern[at] === "*") text += at === last ? "(?<rest>.*)" : ".*";
    else text += (pattern[at] ?? "").replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  }
  return new RegExp(`^${text}$`, "su");
}

export interface FileLayout {
  readonly layout: ParamLayout;
  /** The file's own name for a slot. */
  tensorOf(slot: string): string;
}

/** The layout of a client's file; slots stand in ascending order of name, whatever the order in the file. */
export function layoutOf(tensors: Iterable<TensorInfo>, roles: Roles, about: ModelFile): FileLayout {
  const slots: ParamSlotSpec[] = [];
  const names = new Map<string, string>();
  for (const { name: tensor, shape } of tensors) {
    const { role, name } = roles.roleOf(tensor, about);
    const earlier = names.get(name);
    if (earlier !== undefined) {
      throw new KumiaiError(
        "LAYOUT_MISMATCH",
        `${about.file}: tensor ${JSON.stringify(tensor)}: expected a name of its own within its group, found that of ${JSON.stringify(earlier)}; change roles in the federation file`,
        { file: about.file, tensor, expected: "another name", found: name },
      );
    }
    names.set(name, tensor);
    slots.push({ name, shape, layer: name.replace(/\.[^.]*$/, ""), role });
  }
  slots.sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    layout: createLayout(slots),
    tensorOf(slot) {
      const tensor = names.get(slot);
      if (tensor === undefined) throw new RangeError(`${about.file}: no tensor for slot ${slot}`);
      return tensor;
    },
  };
}
