/**
 * Agglomerative grouping by average linkage: the two groups whose members are most alike on average are joined, until so many are left.
 *
 * Notation — code name, symbol, shape:
 *   similarity  s_ij   [N, N]  symmetric, row-major
 *   average     S_AB   [N, N]  mean of s_ij over i in A, j in B; S_(A∪B)C = (|A|·S_AC + |B|·S_BC)/(|A| + |B|) (Lance and Williams 1967)
 *
 * Equal averages: the pair whose first members come first. Cost N³ at worst, one pass over the pairs for each join.
 */
export function linkByAverage(
  similarity: Float64Array,
  count: number,
  groupCount: number,
): readonly (readonly number[])[] {
  const average = similarity.slice();
  const groups = new Map<number, readonly number[]>(Array.from({ length: count }, (_, i) => [i, [i]]));
  while (groups.size > groupCount) {
    const [first, second] = mostAlike(average, count, [...groups.keys()]);
    const [a, b] = [groups.get(first) ?? [], groups.get(second) ?? []];
    for (const other of groups.keys()) {
      const own = average[first * count + other] ?? 0;
      const added = average[second * count + other] ?? 0;
      const joined = (a.length * own + b.length * added) / (a.length + b.length);
      average[first * count + other] = joined;
      average[other * count + first] = joined;
    }
    groups.set(
      first,
      [...a, ...b].sort((i, j) => i - j),
    );
    groups.delete(second);
  }
  return [...groups.values()];
}

/** `members`: ascending, two or more. */
function mostAlike(average: Float64Array, count: number, members: readonly number[]): readonly [number, number] {
  let best: readonly [number, number] = [members[0] ?? 0, members[1] ?? 0];
  let most = Number.NEGATIVE_INFINITY;
  members.forEach((i, at) => {
    for (const j of members.slice(at + 1)) {
      const value = average[i * count + j] ?? 0;
      if (value <= most) continue;
      most = value;
      best = [i, j];
    }
  });
  return best;
}
