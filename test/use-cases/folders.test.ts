import { readFileSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const FOLDER = join(import.meta.dirname, '../../src/use-cases');

type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/** Which folders of use-cases each of them imports from. */
function folders(): Graph {
  const graph = new Map<string, Set<string>>();
  for (const path of globSync('*/*.ts', { cwd: FOLDER })) {
    const [folder = ''] = path.split(/[/\\]/);
    const imported = graph.get(folder) ?? new Set<string>();
    graph.set(folder, imported);
    for (const [, from = ''] of readFileSync(join(FOLDER, path), 'utf8').matchAll(
      /'#use-cases\/([\w-]+)\/[\w-]+\.ts'/g,
    ))
      if (from !== folder) imported.add(from);
  }
  return graph;
}

/** A way from a folder to itself, or undefined. */
function cycleOf(graph: Graph, start: string): readonly string[] | undefined {
  const open = [[start]];
  const seen = new Set<string>();
  for (let way = open.pop(); way !== undefined; way = open.pop()) {
    for (const next of graph.get(way.at(-1) ?? '') ?? []) {
      if (next === start) return [...way, next];
      if (!seen.has(next)) open.push([...way, next]);
      seen.add(next);
    }
  }
  return undefined;
}

it('use-cases depend on each other in one direction, folder by folder', () => {
  const graph = folders();
  expect(graph.size).toBeGreaterThan(10);
  expect([...graph.keys()].flatMap((folder) => cycleOf(graph, folder)?.join(' > ') ?? [])).toEqual([]);
});

it('finds a cycle over several folders', () => {
  const graph = new Map([
    ['a', new Set(['b'])],
    ['b', new Set(['c'])],
    ['c', new Set(['a'])],
    ['d', new Set(['a'])],
  ]);
  expect(cycleOf(graph, 'a')).toEqual(['a', 'b', 'c', 'a']);
  expect(cycleOf(graph, 'd')).toBeUndefined();
});
