/**
 * The first key that occurs twice in one object of `json`, which must be valid JSON: JSON.parse would keep the last
 * silently, other readers the first, so that two programs would see two different files.
 */
export function findRepeatedKey(json: string): string | undefined {
  const open: Set<string>[] = [];
  for (const { 0: token, index } of json.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]]/g)) {
    if (token === "{" || token === "[") open.push(new Set());
    else if (token === "}" || token === "]") open.pop();
    else if (isKey(json, index + token.length)) {
      const key = JSON.parse(token) as string;
      const seen = open.at(-1);
      if (seen?.has(key)) return key;
      seen?.add(key);
    }
  }
  return undefined;
}

/** A text is a key if a colon follows. */
function isKey(json: string, after: number): boolean {
  let at = after;
  while (" \t\n\r".includes(json.charAt(at)) && at < json.length) at++;
  return json.charAt(at) === ":";
}
