import { Upstream } from '#domain/gates/gates/released-upstream.ts';
import { keys } from '#domain/ledger/keys.ts';
import { NO_PROPAGATION, type Propagation } from '#domain/promotion/pending-propagation.ts';
import type { Pointer } from '#domain/promotion/pointer.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import { findEach } from './items.ts';

/** What the signed chains of some environments said of a release, in their order. */
export async function readUpstream(
  ledger: ReadableLedger,
  model: string,
  release: string,
  environments: readonly string[],
): Promise<readonly (Upstream | undefined)[]> {
  return findEach(
    ledger,
    environments.map((environment) => keys.upstream(model, release, environment)),
    Upstream,
  );
}

/** What dev and staging say of the digest that a pointer's pending propagation is about. */
export async function readPropagation(ledger: ReadableLedger, pointer: Pointer | undefined): Promise<Propagation> {
  if (pointer === undefined || pointer.pendingPropagation === null) return NO_PROPAGATION;
  const { release } = pointer.pendingPropagation;
  const [dev, staging] = await readUpstream(ledger, pointer.model, release, ['dev', 'staging']);
  return { dev, staging };
}
