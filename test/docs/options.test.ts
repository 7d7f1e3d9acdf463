import { join } from 'node:path';
import {
  API,
  type Checker,
  type Project,
  SignatureKind,
  SymbolFlags,
  type Type,
  TypeFlags,
  type TypeReference,
} from 'typescript/unstable/sync';
import { afterAll, describe, expect, test } from 'vitest';
import { ROOT } from './_documents.ts';

/** An option of an input type, as an editor shows it on hover. */
interface Option {
  readonly path: string;
  readonly doc: string;
  readonly isOptional: boolean;
  readonly isGroup: boolean;
}

// The language server's own view: it follows `z.infer`, `partial()` and whatever else stands between a schema and its type.
const PROJECT = join(import.meta.dirname, 'options.tsconfig.json');
const api = new API({ cwd: ROOT });
afterAll(() => api.close());
const { checker, program } = onlyProject();

function onlyProject(): Project {
  const project = api.updateSnapshot({ openProjects: [PROJECT] }).getProject(PROJECT);
  if (project === undefined) throw new Error(`${PROJECT} was not opened`);
  return project;
}

/** Every option of what a function takes as its first argument. */
function optionsOf(file: string, name: string): readonly Option[] {
  const source = program.getSourceFile(join(ROOT, file));
  const module = source === undefined ? undefined : checker.getSymbolAtLocation(source);
  const found = module === undefined ? undefined : checker.getMemberInModuleExports(module, name);
  const type = found === undefined ? undefined : checker.getTypeOfSymbol(found);
  const [signature] = type === undefined ? [] : checker.getSignaturesOfType(type, SignatureKind.Call);
  const input = signature === undefined ? undefined : checker.getParameterType(signature, 0);
  if (input === undefined) throw new Error(`${file} exports no function ${name}`);
  return within(checker, input, name);
}

function within(checker: Checker, given: Type, path: string): readonly Option[] {
  const type = checker.getNonNullableType(given) ?? given;
  if (checker.isArrayLikeType(type)) {
    const [element] = checker.getTypeArguments(type as TypeReference);
    return element === undefined ? [] : within(checker, element, `${path}[]`);
  }
  if ((type.flags & TypeFlags.Object) === 0) return [];
  return checker.getPropertiesOfType(type).flatMap((symbol) => {
    const inner = checker.getTypeOfSymbol(symbol);
    const options = inner === undefined ? [] : within(checker, inner, `${path}.${symbol.name}`);
    const option = {
      path: `${path}.${symbol.name}`,
      doc: checker.getDocumentationCommentOfSymbol(symbol),
      isOptional: (symbol.flags & SymbolFlags.Optional) !== 0,
      isGroup: options.length > 0,
    };
    return [option, ...options];
  });
}

/** What an option's documentation lacks; undefined where nothing. */
function lacks({ path, doc, isOptional, isGroup }: Option): string | undefined {
  if (doc === '') return `${path}: no documentation`;
  if (!isGroup && !/\be\.g\. /i.test(doc)) return `${path}: no example ("e.g. ...")`;
  if (isOptional && !/\b(default\b|without it\b)/i.test(doc))
    return `${path}: no default ("default: ...", "Without it ...")`;
  return undefined;
}

describe('options', () => {
  test.for([
    ['src/model/define-policy.ts', 'definePolicyFloor', 100],
    ['src/model/define-policy.ts', 'definePolicy', 80],
    ['src/model/config.ts', 'defineConfig', 20],
  ] as const)('each of %s, %s is documented with an example and a default', ([file, name, atLeast]) => {
    const options = optionsOf(file, name);
    expect(options.length).toBeGreaterThanOrEqual(atLeast);
    expect(options.flatMap((option) => lacks(option) ?? [])).toEqual([]);
  });

  test.for([
    [{ doc: '', isOptional: false, isGroup: true }, 'x: no documentation'],
    [{ doc: 'Hours.', isOptional: false, isGroup: false }, 'x: no example ("e.g. ...")'],
    [{ doc: 'Hours, e.g. 3.', isOptional: true, isGroup: false }, 'x: no default ("default: ...", "Without it ...")'],
    [{ doc: 'Hours, e.g. 3; default: 4.', isOptional: true, isGroup: false }, undefined],
  ] as const)('what an option lacks is found: $0', ([option, expected]) => {
    expect(lacks({ path: 'x', ...option })).toBe(expected);
  });
});
