/**
 * What part a tensor plays, from its name. In a pattern `*` stands for any text and `<task>` for a task's name. The first pattern that fits
 * decides, the most private parts first: buffer, stem, head, decoder, encoder. What fits none is private to the site, as buffers are.
 *
 * Clients may call the same thing differently: what a pattern spells out before its first `*` is no part of a tensor's name within its
 * group, so `backbone.conv.weight` of one and `encoder.conv.weight` of another are the same encoder tensor.
 */
import {
  createLayout,
  KumiaiError,
  type ParamLayout,
  type ParamRole,
  type ParamSlotSpec,
  parseTaskId,
  type TaskId,
  type TensorInfo,
} from "@kumiai/params";

/** Most private first: the order in which patterns are tried. */
export const ROLE_KINDS = ["buffer", "stem", "head", "decoder", "encoder"] as const;

export type RolePatterns = Readonly<Record<(typeof ROLE_KINDS)[number], readonly string[]>>;

/** Running statistics of normalization as PyTorch calls them: they describe a site's data, and one of them is not even a float. */
export const DEFAULT_ROLES: RolePatterns = {
  buffer: ["*.running_mean", "*.running_var", "*.num_batches_tracked"],
  stem: ["stem.*"],
  head: ["heads.<task>.*"],
  decoder: ["decoders.<task>.*"],
  encoder: ["backbone.*", "encoder.*"],
};

export const TASK = "<task>";

/** Whose file it is. */
export interface ModelFile {
  readonly file: string;
  readonly tasks: readonly TaskId[];
}

export interface FileLayout {
  readonly layout: ParamLayout;
  /** The file's own name for a slot. */
  tensorOf(slot: string): string;
}

/**
 * The layout of a client's file; slots stand in ascending order of name, whatever the order in the file. Throws LAYOUT_MISMATCH for a decoder
 * or head of a task that the client does not have, and where two tensors have one name within their group.
 */
export function layoutOf(tensors: Iterable<TensorInfo>, patterns: RolePatterns, about: ModelFile): FileLayout {
  const rules = rulesFor(patterns, about.tasks);
  const slots: ParamSlotSpec[] = [];
  const names = new Map<string, string>();
  for (const { name: tensor, shape, size } of tensors) {
    if (size === 0) continue; // Nothing to aggregate and nothing to copy.
    const { role, name } = roleOf(tensor, rules, about);
    const earlier = names.get(name);
    if (earlier !== undefined) {
      throw mismatch(about.file, tensor, {
        expected: "a name of its own within its group",
        found: `that of ${JSON.stringify(earlier)} (${name})`,
        advice: "change roles in the federation file",
      });
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

interface Rule {
  readonly kind: keyof RolePatterns;
  /** With one of the client's tasks in the place of `<task>`. */
  readonly own: RegExp;
  /** With any name there. */
  readonly any: RegExp;
}

function rulesFor(patterns: RolePatterns, tasks: readonly TaskId[]): readonly Rule[] {
  const own = [...tasks].sort((a, b) => b.length - a.length).map(literal);
  return ROLE_KINDS.flatMap((kind) =>
    patterns[kind].map((pattern) => ({ kind, own: compile(pattern, own.join("|")), any: compile(pattern, "[^.]+") })),
  );
}

/** `rest`: the name without what the pattern spells out before its first `*`, back to the last dot. */
function compile(pattern: string, task: string): RegExp {
  const star = pattern.indexOf("*");
  const fixed = pattern.slice(0, star === -1 ? pattern.length : star);
  const cut = fixed.lastIndexOf(".") + 1;
  const translate = (part: string): string =>
    part
      .split(TASK)
      .map((text) => text.split("*").map(literal).join(".*"))
      .join(`(?<task>${task})`);
  return new RegExp(`^${translate(pattern.slice(0, cut))}(?<rest>${translate(pattern.slice(cut))})$`, "dsu");
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}

interface Found {
  readonly role: ParamRole;
  /** The tensor's name as all clients have it. */
  readonly name: string;
}

function roleOf(tensor: string, rules: readonly Rule[], about: ModelFile): Found {
  for (const { kind, own, any } of rules) {
    const found = own.exec(tensor) ?? any.exec(tensor);
    if (found === null) continue;
    if (kind === "buffer") break;
    if (kind === "encoder" || kind === "stem") return { role: { kind }, name: `${kind}.${restOf(found)}` };
    const task = taskOf(tensor, found.groups?.task ?? "", about);
    return { role: { kind, task }, name: `${kind}s.${task}.${restOf(found)}` };
  }
  return { role: { kind: "buffer" }, name: `private.${tensor}` };
}

/** The name within the group; a task's name in it, which differs between decoders that are one, gives way. */
function restOf({ groups, indices }: RegExpExecArray): string {
  const rest = groups?.rest ?? "";
  const at = indices?.groups?.rest;
  const task = indices?.groups?.task;
  if (at === undefined || task === undefined || task[0] < at[0]) return rest;
  return rest.slice(0, task[0] - at[0]) + TASK + rest.slice(task[1] - at[0]);
}

function taskOf(tensor: string, name: string, { file, tasks }: ModelFile): TaskId {
  if (tasks.some((task) => task === name)) return parseTaskId(name);
  throw mismatch(file, tensor, {
    expected: `a task of the client (${tasks.join(", ")})`,
    found: `"${name}"`,
    advice: "list the task for this client, or change roles in the federation file",
  });
}

export interface Difference {
  readonly expected: string;
  readonly found: string;
  readonly advice: string;
}

export function mismatch(file: string, tensor: string, { expected, found, advice }: Difference): KumiaiError {
  return new KumiaiError(
    "LAYOUT_MISMATCH",
    `${file}: tensor ${JSON.stringify(tensor)}: expected ${expected}, found ${found}; ${advice}`,
    { file, tensor, expected, found },
  );
}
