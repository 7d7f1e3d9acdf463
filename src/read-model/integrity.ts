import { keys } from '#domain/ledger/keys.ts';
import { Finding } from '#domain/supervision/finding.ts';
import { RotationCursor } from '#domain/supervision/rotation.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import { find, list } from './items.ts';

/** How far the rotation over a model's stored objects has come. */
export async function findRotation(ledger: ReadableLedger, model: string): Promise<RotationCursor | undefined> {
  return find(ledger, keys.cursor('integrity', model), RotationCursor);
}

/** What was found of a model's stored objects, also what is whole again, by the objects. */
export async function readFindings(ledger: ReadableLedger, model: string): Promise<ReadonlyMap<string, Finding>> {
  const found = await list(ledger, keys.cursors(`integrity-${model}`), Finding);
  return new Map(found.map((each) => [each.object, each]));
}
