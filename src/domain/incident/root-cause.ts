import { z } from 'zod';
import { document } from '../canonical/document.ts';
import { refusal, type Refusal } from '../refusal/refusal.ts';

/** The most bytes of a root cause: an execution's input, which carries it, has at most 256 KB. */
export const ROOT_CAUSE_BYTES = 65_536;

/** The fewest characters that can say why something happened. */
const FEWEST = 20;

/** What no text has: an execution's input spells a control character by six. */
const NO_TEXT = /[^\P{Cc}\t\n\r]|\uFFFD/u;

/** Why a text is no root cause: it says nothing, is too large to be carried, or is no text. */
export function whyNoRootCause(text: string): Refusal | undefined {
  const bytes = new TextEncoder().encode(text).length;
  const found = (): string | undefined => {
    if (text.trim() === '') return 'it is empty';
    if (text.trim().length < FEWEST) return `it has ${text.trim().length} characters, fewer than ${FEWEST}`;
    if (bytes > ROOT_CAUSE_BYTES) return `it has ${bytes} bytes, more than ${ROOT_CAUSE_BYTES}`;
    return NO_TEXT.test(text) ? 'it is no UTF-8 text, or has control characters' : undefined;
  };
  const why = found();
  return why === undefined ? undefined : refusal('root-cause', why);
}

/** The root cause of an incident, as the person who closed it wrote it. */
export const RootCause = document(
  'root cause',
  z.strictObject({ formatVersion: z.literal(1), incident: z.string().min(1), text: z.string().min(1) }),
);
