import { registerHooks } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const REPOSITORY = pathToFileURL(join(dirname(dirname(import.meta.dirname)), '/')).href;
let isHooked = false;

/**
 * Imports a file that a person writes: `model.ts`, `policy.ts`, `card.ts`, `replay.ts`. It may lie outside of the repository,
 * where Node.js finds neither `#model/...` nor the packages of this one: they are looked up from here then.
 */
export async function importDefinition(file: string): Promise<unknown> {
  if (!isHooked) registerHooks({ resolve });
  isHooked = true;
  return import(pathToFileURL(file).href);
}

const resolve: Parameters<typeof registerHooks>[0]['resolve'] = (specifier, context, next) => {
  const { parentURL } = context;
  const isElsewhere = parentURL?.startsWith('file:') === true && !parentURL.startsWith(REPOSITORY);
  if (!isElsewhere || /^(\.{0,2}\/|[a-z]+:)/.test(specifier)) return next(specifier, context);
  const here = { ...context, parentURL: import.meta.url };
  if (specifier.startsWith('#')) return next(specifier, here);
  try {
    return next(specifier, context);
  } catch {
    // What the folder has of its own comes first.
    return next(specifier, here);
  }
};
