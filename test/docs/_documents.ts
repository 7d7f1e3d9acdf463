import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');

/** A Markdown document of the repository. */
export interface Document {
  /** Its path from the root. */
  readonly path: string;
  readonly text: string;
}

/** A fenced block: what its fence says, and what is in it. */
export interface Block {
  readonly info: string;
  readonly text: string;
}

/** Every document that people read. */
export function documents(): readonly Document[] {
  const paths = globSync(['*.md', 'docs/**/*.md', 'models/**/*.md', 'statemachines/*.md'], { cwd: ROOT }).toSorted();
  return paths.map((path) => document(path));
}

export function document(path: string): Document {
  return { path, text: readFileSync(join(ROOT, path), 'utf8') };
}

const FENCE = /^(?<indent> *)```(?<info>[^\n`]*)\n(?<text>.*?)^ *```$/gms;

/** The fenced blocks of a document; one inside of a list is given without its indent. */
export function blocksOf({ text }: Pick<Document, 'text'>): readonly Block[] {
  return [...text.matchAll(FENCE)].map(({ groups: { indent = '', info = '', text: body = '' } = {} }) => ({
    info: info.trim(),
    text: body.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  }));
}

/** A document's text without its fenced blocks. */
export function proseOf({ text }: Pick<Document, 'text'>): string {
  return text.replaceAll(FENCE, '');
}

/** What stands between single backticks in prose; a span may be broken over two lines. */
export function spansOf(document: Pick<Document, 'text'>): readonly string[] {
  return [...proseOf(document).matchAll(/`([^`]+)`/g)].map(([, span = '']) => span.replaceAll(/\s+/g, ' '));
}

/** The anchors of a document's headings, as GitHub makes them. */
export function anchorsOf(document: Pick<Document, 'text'>): ReadonlySet<string> {
  const headings = [...proseOf(document).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading);
  return new Set(headings.map((heading) => slug(heading)));
}

function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');
}
