import { digestOf } from '#domain/canonical/digest.ts';
import type { StoredBytes, StoredPlace } from '#ports/stored-bytes.ts';
import type { memoryArtifactStore } from './artifact-store.ts';
import type { memoryLake } from './lake.ts';
import type { memoryPublishedRecords } from './published-records.ts';

/** What an environment has stored in memory, as it is stored. */
export function memoryStoredBytes(
  environment: string,
  of: {
    readonly releases: ReturnType<typeof memoryArtifactStore>;
    readonly documents: ReturnType<typeof memoryArtifactStore>;
    readonly lake: ReturnType<typeof memoryLake>;
    readonly shown: ReturnType<typeof memoryPublishedRecords>;
  },
): StoredBytes {
  const find = (place: StoredPlace): Parameters<typeof digestOf>[0] | undefined => {
    switch (place.kind) {
      case 'release':
        return of.releases.objects.get(place.digest);
      case 'document':
        return of.documents.objects.get(place.digest);
      case 'built':
        return of.lake.objects.get(`${place.model}/${place.built}/${place.digest}`)?.content;
      case 'object':
        return of.lake.objects.get(place.key)?.content;
    }
  };
  const text = (key: string): string | undefined => {
    const content = of.shown.objects.get(`${environment}/${key}`);
    return typeof content === 'object' ? JSON.stringify(content) : content;
  };
  return {
    async hash(place) {
      const content = find(place);
      if (content === undefined) return undefined;
      const storedAs =
        place.kind === 'built'
          ? of.lake.objects.get(`${place.model}/${place.built}/${place.digest}`)?.sha256
          : undefined;
      return { sha256: digestOf(content), versionId: '1', ...(storedAs === undefined ? {} : { storedAs }) };
    },
    async bytes(place) {
      const content = find(place);
      return typeof content === 'string' ? new TextEncoder().encode(content) : content;
    },
    published: async (what, model, seq) => text(`${what}/${model}/${String(seq).padStart(12, '0')}`),
    publicKeyPem: async () => text('key'),
  };
}
