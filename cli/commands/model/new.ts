import { cp, stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { z } from 'zod';
import { ModelName } from '#domain/model/definition.ts';
import type { Run } from '../../context.ts';
import { refuse } from '../../refusal.ts';

const TEMPLATE = join(import.meta.dirname, '..', '..', 'templates', 'model');

export const run: Run = async (context) => {
  const { name } = context.input(z.object({ name: ModelName }));
  const [root = 'models'] = context.modelFolders;
  const folder = join(root, name);
  const isThere = await stat(folder).then(
    () => true,
    () => false,
  );
  const shown = relative(process.cwd(), folder);
  const where = root === resolve('models') ? '' : ` --models ${root}`;
  if (isThere) refuse('model-new', `${shown} is there already`, 'choose another name');
  await cp(TEMPLATE, folder, { recursive: true });
  context.print({
    data: { model: name, folder },
    sections: [
      {
        lines: [
          `made ${shown}: model.ts, policy.ts, features/*.sql, expectations/*.json, training/train.py`,
          `next: describe your data in ${shown}/model.ts, then: gatehouse model check ${name}${where}`,
        ],
      },
    ],
  });
};
