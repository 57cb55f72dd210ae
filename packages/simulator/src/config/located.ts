/** A YAML document that knows where each of its values stands, so that an error can name the line. */
import { KumiaiError } from "@kumiai/params";
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from "yaml";

export type ConfigPath = readonly (string | number)[];

/** What can say where a value stands. */
export interface Places {
  /** `file:line:col` of the value at `path`, or of the nearest enclosing value that exists. */
  readonly where: (path: ConfigPath) => string;
}

export interface LocatedYaml extends Places {
  readonly value: unknown;
  /** `file:line:col` of the key `key` in the map at `path`. */
  whereKey(path: ConfigPath, key: string): string;
  /** For sorting: offset in the text of the value at `path`. */
  offsetOf(path: ConfigPath): number;
}

/** What stands at `path`; undefined: nothing does. */
export function valueAt(root: unknown, path: ConfigPath): unknown {
  let current = root;
  for (const part of path) {
    if (current === null || typeof current !== "object" || !Object.hasOwn(current, part)) return undefined;
    current = (current as Record<string | number, unknown>)[part];
  }
  return current;
}

/** Throws INVALID_CONFIG, with the line, if `text` is not one well-formed YAML document without repeated keys. */
export function parseLocatedYaml(text: string, file: string): LocatedYaml {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const place = (offset: number): string => {
    const { line, col } = lineCounter.linePos(offset);
    return `${file}:${Math.max(1, line)}:${Math.max(1, col)}`;
  };
  // A warning (a tag that nothing knows) would leave a value other than the one written.
  const first = document.errors[0] ?? document.warnings[0];
  if (first?.code === "MULTIPLE_DOCS") {
    throw new KumiaiError(
      "INVALID_CONFIG",
      `${place(first.pos[0])}: expected one YAML document, received a second one; keep one scenario a file`,
      { file, line: lineCounter.linePos(first.pos[0]).line },
    );
  }
  if (first !== undefined) {
    throw new KumiaiError(
      "INVALID_CONFIG",
      `${place(first.pos[0])}: expected well-formed YAML, received text that is not (${first.message}); mend this line`,
      { file, line: lineCounter.linePos(first.pos[0]).line },
    );
  }
  const offsetOf = (path: ConfigPath): number => {
    for (let length = path.length; length >= 0; length--) {
      const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) return node.range[0];
    }
    return 0;
  };
  const whereKey = (path: ConfigPath, key: string): string => {
    const map = path.length === 0 ? document.contents : document.getIn(path, true);
    if (isMap(map)) {
      for (const { key: keyNode } of map.items) {
        if (isScalar(keyNode) && String(keyNode.value) === key && keyNode.range) return place(keyNode.range[0]);
      }
    }
    return place(offsetOf(path));
  };
  return {
    value: resolvedValue(document, file),
    where: (path) => place(offsetOf(path)),
    whereKey,
    offsetOf,
  };
}

/** Aliases are resolved only here: one without its anchor, one inside its own anchor, or too many of them are refused. */
function resolvedValue(document: Document, file: string): unknown {
  try {
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    JSON.stringify(value); // Throws where a value contains itself.
    return value;
  } catch (cause) {
    const reason = (cause instanceof Error ? cause.message : String(cause)).split("\n", 1)[0];
    throw new KumiaiError(
      "INVALID_CONFIG",
      `${file}: expected YAML whose aliases can be resolved, received others (${reason}); write the values out`,
      { file },
      cause,
    );
  }
}
