import { ENVIRONMENTS, MACHINES } from '#domain/environment/environment.ts';
import { describe, expect, test } from 'vitest';

import { blocksOf, document, proseOf } from './_documents.ts';

const overview = document('docs/overview.md');
const pictures = blocksOf(overview).filter(({ info }) => info === 'mermaid');

/** Machines and environments that a picture names, and what is wrong with them. */
interface Named {
  readonly machines: readonly string[];
  readonly wrong: readonly string[];
}

/** In a picture a subgraph or a participant is an environment, and a double frame (`[[name]]`) a state machine of the one around it. */
function namedIn(picture: string): Named {
  const machines: string[] = [];
  const wrong: string[] = [];
  let within: string | undefined;
  for (const line of picture.split('\n').map((each) => each.trim())) {
    const [, box] = /^(?:subgraph|participant \w+ as) (.+)$/.exec(line) ?? [];
    if (line === 'end') within = undefined;
    if (line.startsWith('subgraph ')) within = box;
    const environment = ENVIRONMENTS.find((each) => each === box);
    if (box !== undefined && environment === undefined && box !== 'person') wrong.push(`${box} is no environment`);
    for (const [, machine = ''] of line.matchAll(/\[\[(.+?)\]\]/g)) {
      machines.push(machine);
      const around = ENVIRONMENTS.find((each) => each === within);
      const known: readonly string[] = around === undefined ? [] : MACHINES[around];
      if (!known.includes(machine)) wrong.push(`${machine} is no state machine of ${within ?? 'any environment here'}`);
    }
  }
  return { machines, wrong };
}

describe('the overview', () => {
  test('has ten steps, most of them with a picture', () => {
    const steps = overview.text.split(/^## /m).filter((part) => /^\d+\. /.test(part));
    expect(steps.map((step) => Number.parseInt(step, 10))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(steps.filter((step) => step.includes('```mermaid')).length).toBeGreaterThan(6);
  });

  test('has fewer than 900 words of prose', () => {
    expect(proseOf(overview).split(/\s+/).length).toBeLessThan(900);
  });

  test('its pictures name environments and state machines that exist', () => {
    expect(pictures.flatMap(({ text }) => namedIn(text).wrong)).toEqual([]);
  });

  test('its pictures show every state machine', () => {
    const shown = new Set(pictures.flatMap(({ text }) => namedIn(text).machines));
    expect(shown).toEqual(new Set(Object.values(MACHINES).flat()));
  });

  test('is the first link of "Where to read on"', () => {
    const [, part = ''] = document('README.md').text.split('## Where to read on\n');
    expect(/\]\((?<path>[^)]+)\)/.exec(part)?.groups?.['path']).toBe('docs/overview.md');
  });

  test('what does not exist, or not there, is found', () => {
    const picture = 'subgraph live\nend\nsubgraph dev\nA[[rollback]]\nend\nB[[drift]]\nparticipant C as control';
    expect(namedIn(picture).wrong).toEqual([
      'live is no environment',
      'rollback is no state machine of dev',
      'drift is no state machine of any environment here',
    ]);
  });
});
