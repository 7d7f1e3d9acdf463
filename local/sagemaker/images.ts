import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeDocument } from '../emulator/state.ts';

/** What stands for a container image on a laptop: a command, and the folder in which it runs. */
export const LocalImage = z.strictObject({
  command: z.array(z.string().min(1)).min(1),
  folder: z.string().min(1),
});
export type LocalImage = z.infer<typeof LocalImage>;

const Registry = z.record(z.string(), LocalImage);
type Registry = z.infer<typeof Registry>;

const registryFile = (home: string): string => join(home, 'images.json');

function readRegistry(home: string): Registry {
  let text;
  try {
    text = readFileSync(registryFile(home), 'utf8');
  } catch {
    return {};
  }
  return Registry.parse(JSON.parse(text));
}

/** Adds images (URI by digest → command and folder) to a home's registry; a name given again is replaced. */
export function registerLocalImages(home: string, images: Readonly<Record<string, LocalImage>>): void {
  writeDocument(registryFile(home), { ...readRegistry(home), ...Registry.parse(images) });
}

/** Looks an image up as it is registered now; a running SageMaker subset needs no restart. */
export function findLocalImage(home: string, uri: string): LocalImage | undefined {
  return readRegistry(home)[uri];
}
