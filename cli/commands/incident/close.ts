import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { ROOT_CAUSE_BYTES, whyNoRootCause } from '#domain/incident/root-cause.ts';
import { openParts } from '#domain/incident/incident.ts';
import type { Run } from '../../context.ts';
import { mustBeFile } from '../../given-files.ts';
import { RefusedError, refuse } from '../../refusal.ts';
import { actOn } from './act.ts';
import { findNamed } from './find.ts';

export const run: Run = async (context) => {
  const { incident: name, rootCause: file } = context.input(
    z.object({ incident: z.string().min(1), rootCause: z.string().min(1) }),
  );
  await mustBeFile(file);
  // Before it is read: a file that was named by mistake may be of any size.
  const { size } = await stat(file);
  if (size > ROOT_CAUSE_BYTES) refuse('root-cause', `${file} has ${size} bytes, more than ${ROOT_CAUSE_BYTES}`);
  const rootCause = await readFile(file, 'utf8');
  const why = whyNoRootCause(rootCause);
  if (why !== undefined) throw new RefusedError({ ...why, found: `${file}: ${why.found}` });
  const found = await findNamed(context, name);
  const open = openParts(found.incident).map(({ part }) => part);
  // The machine decides again by what it reads itself; this look saves an execution.
  if (open.length > 0 && found.incident.closed === null) refuse('incident-parts', `open: ${open.join(', ')}`);
  await context.confirm(`Close ${found.incident.incident} in ${found.environment} with the root cause of ${file}?`);
  await actOn(context, found, { action: 'close', rootCause });
};
