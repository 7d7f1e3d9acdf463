import { copyFile, mkdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { TRAINER_PREDICTIONS } from '#domain/model/trainer-predictions.ts';
import type { TrainingData } from '#ports/training-jobs.ts';
import { readIfThere } from './files.ts';

/** What jobs read and leave, in a folder of this machine; an artifact is the folder of a job's model, unpacked. */
export function folderTrainingData(folder: string): TrainingData {
  return {
    async readArtifact(uri) {
      const files = new Map<string, Uint8Array>();
      for (const name of ['model.onnx', 'metrics.json', TRAINER_PREDICTIONS]) {
        const content = await readIfThere(join(uri, name));
        if (content !== undefined) files.set(name, content);
      }
      return { kind: 'read', files };
    },
    async fetch(key, path) {
      const isThere = (await stat(join(folder, key)).catch(() => undefined)) !== undefined;
      if (isThere) await copyFile(join(folder, key), path);
      return isThere;
    },
    async storeRows(key, path) {
      await mkdir(dirname(join(folder, key)), { recursive: true });
      await copyFile(path, join(folder, key));
    },
  };
}
