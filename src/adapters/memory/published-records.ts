import { GatehouseError } from '#domain/error.ts';
import type { Envelope } from '#domain/signature/dsse.ts';
import type { Numbered, PeerRecords, PublishedRecords } from '#ports/published-records.ts';

/** As many records as one reading gives. */
const PAGE = 100;

/** What environments show to each other, in memory; `objects` is open, so that a test can tamper with it or lose it. */
export function memoryPublishedRecords(): {
  readonly objects: Map<string, Envelope | string>;
  of(environment: string): PublishedRecords;
  readonly peers: PeerRecords;
} {
  const objects = new Map<string, Envelope | string>();
  const put = async (key: string, content: Envelope | string): Promise<void> => {
    const existing = objects.get(key);
    if (existing === undefined) objects.set(key, structuredClone(content));
    else if (payload(existing) !== payload(content)) {
      throw new GatehouseError('PUBLISHED_DIFFERENTLY', `${key} says something else`, { key });
    }
  };
  const list = (prefix: string): Numbered[] =>
    [...objects.keys()]
      .filter((key) => key.startsWith(prefix))
      .toSorted()
      .flatMap((key) => {
        const envelope = objects.get(key);
        return typeof envelope === 'object'
          ? [{ seq: Number(key.slice(prefix.length)), envelope: structuredClone(envelope) }]
          : [];
      });
  return {
    objects,
    of: (environment) => ({
      publishKey: (pem) => put(`${environment}/key`, pem),
      publishRecord: (model, { seq, envelope }) => put(name(environment, 'chain', model, seq), envelope),
      publishPointer: (model, { seq, envelope }) => put(name(environment, 'pointers', model, seq), envelope),
    }),
    peers: {
      async publicKeyPem(environment) {
        const pem = objects.get(`${environment}/key`);
        return typeof pem === 'string' ? pem : undefined;
      },
      async recordsAfter(environment, model, seq) {
        const records = list(`${environment}/chain/${model}/`);
        return records.filter((record) => record.seq > seq).slice(0, PAGE);
      },
      newestPointer: (environment, model) => Promise.resolve(list(`${environment}/pointers/${model}/`).at(-1)),
    },
  };
}

function name(environment: string, kind: string, model: string, seq: number): string {
  return `${environment}/${kind}/${model}/${String(seq).padStart(12, '0')}`;
}

/** A second signature of the same payload differs in its bytes; what counts is what is signed. */
function payload(content: Envelope | string): string {
  return typeof content === 'string' ? content : content.payload;
}
