import { currentFormat, type Incident, StoredIncident } from '#domain/incident/incident.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import { find, list, newestFirst } from './items.ts';

/** An incident by its name; undefined where there is none. */
export async function findIncident(
  ledger: Pick<ReadableLedger, 'get'>,
  model: string,
  incident: string,
): Promise<Incident | undefined> {
  const stored = await find(ledger, keys.incident(model, incident), StoredIncident);
  return stored && currentFormat(stored, model);
}

/** The incidents of a model, open and closed, newest first. */
export async function readIncidents(
  ledger: Pick<ReadableLedger, 'query'>,
  model: string,
): Promise<readonly Incident[]> {
  const stored = await list(ledger, keys.incidents(model), StoredIncident);
  return newestFirst(
    stored.map((each) => currentFormat(each, model)),
    ({ openedAt }) => openedAt,
  );
}
