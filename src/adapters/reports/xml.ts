import { SaxesParser } from 'saxes';
import { REPORT_DEPTH } from './json.ts';
import { type Refused, refused } from './reading.ts';

export interface Elements {
  /** An element begins; `path` has the names of those around it. A refusal ends the reading. */
  readonly open: (
    name: string,
    attributes: Readonly<Record<string, string>>,
    path: readonly string[],
  ) => Refused | undefined;
  readonly close: (name: string, path: readonly string[]) => Refused | undefined;
}

/** So much is parsed at once before it is asked whether something was refused. */
const CHUNK = 64 * 1024;

/**
 * Tells the elements of an XML text as they come. A DOCTYPE is refused: without one, XML has no entity but its own five and
 * nothing to fetch. @returns the refusal, or undefined when all was read
 */
export function readXml(text: string, elements: Elements): Refused | undefined {
  const parser = new SaxesParser({ xmlns: false, position: false });
  const path: string[] = [];
  const first: { refusal?: Refused } = {};
  const refuse = (found: Refused | undefined): void => {
    if (found !== undefined) first.refusal ??= found;
  };
  parser.on('error', ({ message }) => refuse(refused('report-format', `no XML: ${message}`, 'write it again')));
  parser.on('doctype', () =>
    refuse(refused('report-hostile', 'the XML has a DOCTYPE', 'write it without document type and entities')),
  );
  parser.on('xmldecl', ({ encoding }) => {
    if (encoding !== undefined && !/^utf-?8$/i.test(encoding))
      refuse(refused('report-format', `the XML says that it is ${encoding}`, 'write it in UTF-8'));
  });
  parser.on('opentag', ({ name, attributes }) => {
    if (first.refusal !== undefined) return;
    if (path.length >= REPORT_DEPTH)
      return refuse(refused('report-hostile', `nested deeper than ${REPORT_DEPTH}`, 'write it by the tool itself'));
    if (name === '__proto__' || Object.hasOwn(attributes, '__proto__'))
      return refuse(refused('report-hostile', 'a name is __proto__', 'write it by the tool itself'));
    refuse(elements.open(name, attributes, path));
    path.push(name);
  });
  parser.on('closetag', ({ name }) => {
    if (first.refusal !== undefined) return;
    path.pop();
    refuse(elements.close(name, path));
  });
  for (let at = 0; at < text.length && first.refusal === undefined; at += CHUNK)
    parser.write(text.slice(at, at + CHUNK));
  if (first.refusal === undefined) parser.close();
  return first.refusal;
}
