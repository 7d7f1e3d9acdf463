import { describe, expect, it } from 'vitest';
import { machine } from '#local/statemachines/machines.ts';
import { CONTRACTS } from '#statemachines/contracts.ts';
import { MACHINES, statesOf } from './_machines.ts';
import { walk } from './_walk.ts';

it('each machine has one', () => {
  expect(Object.keys(CONTRACTS).toSorted()).toEqual(MACHINES.toSorted());
});

describe.each(Object.values(CONTRACTS))('the contract of $name', (contract) => {
  const states = statesOf(machine(contract.name));

  it('names each Task, what it reads of the document and what it adds to it, as the ASL says', () => {
    const tasks = states.flatMap(({ name, state }) =>
      state.Type === 'Task' ? [[name, readsOf(state.Parameters), state.ResultPath?.replace('$.', '') ?? null]] : [],
    );
    expect(Object.entries(contract.states).map(([name, { reads, adds }]) => [name, reads, adds])).toEqual(tasks);
  });

  it('holds on each way that the machine can go, and each state is on one', () => {
    const { problems, reached } = walk(contract.name, contract);
    expect(problems).toEqual([]);
    expect(states.map(({ name }) => name).filter((name) => !reached.has(name))).toEqual([]);
  });
});

/** The fields of the document that a template names; `$` for the whole. */
function readsOf(template: object): string[] {
  const found = Object.entries(template).flatMap(([name, value]: [string, unknown]): string[] => {
    if (typeof value === 'object' && value !== null) return readsOf(value);
    if (!name.endsWith('.$')) return [];
    const path = /(?<!\$)\$(?!\$)(?:\.(?<field>\w+))?/.exec(String(value));
    return path === null ? [] : [path.groups?.['field'] ?? '$'];
  });
  return [...new Set(found)];
}
