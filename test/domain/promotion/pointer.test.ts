import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { digestOf } from '#domain/canonical/digest.ts';
import { advancePointer, confirmedReleases, type Pointer, REMEMBERED } from '#domain/promotion/pointer.ts';
import { rollBack, rollbackTarget } from '#domain/promotion/rollback.ts';
import { MODEL, NOW } from './_case.ts';

const RELEASES = Array.from({ length: 14 }, (_, index) => ({ release: digestOf(`${index}`), version: `1.0.${index}` }));

/** The pointer after a release was promoted, as a commit writes it. */
function letIn(pointer: Pointer | undefined, { release, version }: (typeof RELEASES)[number]): Pointer {
  const next = { model: MODEL, environment: 'prod', current: release, version, fencingToken: 1, writtenBy: 'p' };
  return advancePointer(
    pointer,
    { ...next, at: NOW.toISOString() },
    confirmedReleases(pointer).filter((each) => each.release !== release),
    { until: null, pendingPropagation: null },
  );
}

it('knows distinct releases to go back to, none of them its own or ever rolled back, the newest first', () => {
  const act = fc.oneof(fc.constant('back' as const), fc.nat({ max: RELEASES.length - 1 }));
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
      let pointer: Pointer | undefined;
      const takenBack = new Set<string>();
      // What was promoted, the newest last: what a reader of the whole history would go back to.
      let history: string[] = [];
      for (const each of acts) {
        if (each === 'back') {
          const target = rollbackTarget(pointer, (release) => takenBack.has(release));
          if (pointer === undefined || target.kind === 'refuse') continue;
          takenBack.add(pointer.current);
          history = history.filter((release) => release !== pointer?.current);
          expect(target.release).toBe(history.at(-1));
          pointer = rollBack(pointer, target, { id: 'r', actor: 'person:op', reason: 'wrong', now: NOW }).pointer;
        } else {
          const chosen = RELEASES[each];
          if (chosen === undefined || takenBack.has(chosen.release) || pointer?.current === chosen.release) continue;
          pointer = letIn(pointer, chosen);
          history = [...history.filter((release) => release !== chosen.release), chosen.release];
        }
        const known = confirmedReleases(pointer).map(({ release }) => release);
        expect(known[0]).toBe(pointer.current);
        expect(new Set(known).size).toBe(known.length);
        expect(known.length).toBeLessThanOrEqual(2 + REMEMBERED);
        expect(known.filter((release) => takenBack.has(release))).toEqual([]);
      }
    }),
    { numRuns: 300 },
  );
});
