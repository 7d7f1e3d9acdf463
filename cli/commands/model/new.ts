import { cp, readFile, stat, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { z } from 'zod';
import { ModelName } from '#domain/model/definition.ts';
import type { Run } from '../../context.ts';
import { refuse } from '../../refusal.ts';
import { writeSample } from './sample.ts';

const TEMPLATE = join(import.meta.dirname, '..', '..', 'templates', 'model');

export const run: Run = async (context) => {
  const { name, sample } = context.input(z.object({ name: ModelName, sample: z.boolean().default(false) }));
  const [root = 'models'] = context.modelFolders;
  const folder = join(root, name);
  const shown = relative(process.cwd(), folder);
  const data = join('data', name);
  for (const path of sample ? [folder, data] : [folder])
    if (await isThere(path)) refuse('model-new', `${relative(process.cwd(), path)} is there already`);
  await cp(TEMPLATE, folder, { recursive: true });
  for (const [file, word, text] of [
    ['README.md', 'NAME', name],
    ['training/Dockerfile', 'FOLDER', shown],
  ] as const) {
    const path = join(folder, file);
    await writeFile(path, (await readFile(path, 'utf8')).replaceAll(word, text));
  }
  const written = sample ? await writeSample(data) : undefined;
  const where = root === resolve('models') ? '' : ` --models ${root}`;
  const files = (kind: string): string => `--${kind} ${data}/${kind}/dt=*/*.parquet`;
  context.print({
    data: { model: name, folder, sample: written === undefined ? null : { folder: data, ...written } },
    sections: [
      {
        lines: [
          `made ${shown}: model.ts, policy.ts, card.ts, README.md, features/*.sql, expectations/*.json, training/`,
          ...(written === undefined
            ? [`next: describe your data in ${shown}/model.ts, then: gatehouse model check ${name}${where}`]
            : [
                `made ${data}: ${written.events} generated events of ${written.days} days, and their labels`,
                `next: gatehouse model evaluate ${name}${where} ${files('events')} ${files('labels')}`,
              ]),
        ],
      },
    ],
  });
};

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
