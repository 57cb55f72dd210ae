/**
 * The first key that occurs twice in one object of `json`, which must be valid JSON: JSON.parse would keep the last
 * silently, other readers the first, so that two programs would see two different files.
 */
export function findRepeatedKey(json: string): string | undefined {
  const open: Set<string>[] = [];
  for (let at = 0; at < json.length; at++) {
    const sign = json.charAt(at);
    if (sign === "{" || sign === "[") open.push(new Set());
    else if (sign === "}" || sign === "]") open.pop();
    else if (sign === '"') {
      const end = endOfText(json, at);
      if (isKey(json, end)) {
        const key = JSON.parse(json.slice(at, end)) as string;
        const seen = open.at(-1);
        if (seen?.has(key)) return key;
        seen?.add(key);
      }
      at = end - 1;
    }
  }
  return undefined;
}

/** Where the text that begins at `start` has ended. A loop, because a regular expression overflows on texts of megabytes. */
function endOfText(json: string, start: number): number {
  let at = start + 1;
  while (json.charAt(at) !== '"') at += json.charAt(at) === "\\" ? 2 : 1;
  return at + 1;
}

/** A text is a key if a colon follows. */
function isKey(json: string, after: number): boolean {
  let at = after;
  while (" \t\n\r".includes(json.charAt(at)) && at < json.length) at++;
  return json.charAt(at) === ":";
}
