import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { ORIGIN } from '#domain/environment/environment.ts';
import { GatehouseError } from '#domain/error.ts';
import { refusal } from '#domain/refusal/refusal.ts';
import { openManifest } from '#domain/release/manifest.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import { readUpstream } from '#read-model/upstream.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import { contract, Refused, type Task } from '#use-cases/task.ts';
import { isBroken } from '#use-cases/verification/whole-release.ts';

export const PullRelease = contract({
  input: z.object({ release: Digest, model: z.string(), source: z.string() }),
  output: z.discriminatedUnion('status', [z.object({ status: z.literal('pulled'), files: z.int() }), Refused]),
});

/** Copies a release from the environment before this one: by digest, every byte hashed on the way out and on the way in. */
export function pullRelease(deps: {
  readonly ledger: ReadableLedger;
  readonly own: ArtifactStore;
  storeOf(environment: string): ArtifactStore;
}): Task {
  return PullRelease.task(async ({ release, model, source }) => {
    const from = deps.storeOf(source);
    try {
      const bytes = await from.read(release);
      const manifest = openManifest(bytes);
      if (manifest.model !== model) return refused(`the release is of model ${manifest.model}`);
      const [origin] = await readUpstream(deps.ledger, model, release, [ORIGIN]);
      // What is attested of a commit is looked for by what was signed: both must name the same.
      if (origin?.commit !== undefined && origin.commit !== manifest.code.commit)
        return refused(`its manifest names commit ${manifest.code.commit}, ${ORIGIN} has signed for ${origin.commit}`);
      await Promise.all(manifest.files.map((file) => copy(from, deps.own, file.sha256, file.size)));
      await deps.own.write(bytes);
      return { status: 'pulled', files: manifest.files.length };
    } catch (error) {
      if (isBroken(error)) return refused(error.message);
      throw error;
    }
  });
}

async function copy(from: ArtifactStore, to: ArtifactStore, digest: Digest, size: number): Promise<void> {
  const content = (await to.has(digest)) ? await to.read(digest) : await from.read(digest);
  if (content.length !== size) {
    throw new GatehouseError(
      'ARTIFACT_TAMPERED',
      `object ${digest} has ${content.length} bytes, the manifest says ${size}`,
      { digest },
    );
  }
  await to.write(content);
}

function refused(found: string): z.output<typeof Refused> {
  return {
    status: 'refused',
    refusal: refusal('release-integrity', found, 'register the release anew from its training run'),
  };
}
