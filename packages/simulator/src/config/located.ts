/** A YAML document that knows where each of its values stands, so that an error can name the line. */
import { KumiaiError } from "@kumiai/params";
import { isMap, isNode, isScalar, LineCounter, parseDocument } from "yaml";

export type ConfigPath = readonly (string | number)[];

export interface LocatedYaml {
  readonly value: unknown;
  /** `file:line:col` of the value at `path`, or of the nearest enclosing value that exists. */
  where(path: ConfigPath): string;
  /** `file:line:col` of the key `key` in the map at `path`. */
  whereKey(path: ConfigPath, key: string): string;
  /** For sorting: offset in the text of the value at `path`. */
  offsetOf(path: ConfigPath): number;
}

/** Throws INVALID_CONFIG, with the line, if `text` is not one well-formed YAML document without repeated keys. */
export function parseLocatedYaml(text: string, file: string): LocatedYaml {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const place = (offset: number): string => {
    const { line, col } = lineCounter.linePos(offset);
    return `${file}:${Math.max(1, line)}:${Math.max(1, col)}`;
  };
  const first = document.errors[0];
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
    value: document.toJS({ maxAliasCount: 100 }),
    where: (path) => place(offsetOf(path)),
    whereKey,
    offsetOf,
  };
}
