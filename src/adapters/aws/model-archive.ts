import { refusal, type Refusing } from '#domain/refusal/refusal.ts';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { TRAINER_PREDICTIONS } from '#domain/model/trainer-predictions.ts';
import type { ModelArtifact } from '#ports/training-jobs.ts';

/** The most bytes that `model.tar.gz` may have, packed and unpacked: both are in the memory of a function of 2 GB at once. */
export const MAX_MODEL_BYTES = 256 * 1024 * 1024;

/** What a release is made from and checked by; whatever else a training program left is passed over. */
const WANTED = ['model.onnx', 'metrics.json', TRAINER_PREDICTIONS];

/**
 * The wanted files of a `.tar.gz`. Nothing is written to a disk, and names are compared as they are, so that no path can
 * lead anywhere; the archive is unpacked as one buffer, so that no stream can fail when nobody listens.
 */
export async function unpackModel(archive: Uint8Array, most = MAX_MODEL_BYTES): Promise<ModelArtifact> {
  let tar: Uint8Array;
  try {
    tar = await promisify(gunzip)(archive, { maxOutputLength: most });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge('unpacked it has more', most) : unreadable('gzip', error);
  }
  try {
    return await filesOf(tar);
  } catch (error) {
    return unreadable('tar', error);
  }
}

async function filesOf(tar: Uint8Array): Promise<ModelArtifact> {
  const files = new Map<string, Uint8Array>();
  const entries = extract();
  entries.end(tar);
  for await (const entry of entries) {
    const name = entry.header.name.replace(/^\.\//, '');
    if (!WANTED.includes(name) || entry.header.type !== 'file') entry.resume();
    else if (files.has(name)) return refused('artifact-files-unique', `two files ${name}`, 'write each file once');
    else files.set(name, await buffer(entry));
  }
  return { kind: 'read', files };
}

/** An artifact beyond the limit. */
export function tooLarge(found: string, most = MAX_MODEL_BYTES): ModelArtifact {
  return refused('artifact-size', `${found} bytes, ${most} are allowed`, 'train a smaller model');
}

/** An artifact that is not where its job said. */
export function vanished(uri: string): ModelArtifact {
  return refused('artifact-present', uri === '' ? 'the job names no artifact' : `no object at ${uri}`, 'train again');
}

function unreadable(format: 'gzip' | 'tar', error: unknown): ModelArtifact {
  const found = `${format}: ${error instanceof Error ? error.message : String(error)}`;
  return refused('artifact-readable', found, 'let the training program end by itself, and train again');
}

function refused(...why: Refusing): ModelArtifact {
  return { kind: 'refused', refusal: refusal(...why) };
}
