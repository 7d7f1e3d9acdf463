import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { GatehouseError } from '#domain/error.ts';
import type { Terminal } from '../terminal.ts';

/** A signed-in person: the tokens, and the API that they are for. */
export const Session = z.strictObject({
  formatVersion: z.literal(1),
  username: z.string().min(1),
  apiUrl: z.url(),
  clientId: z.string().min(1),
  region: z.string().min(1),
  idToken: z.string().min(1),
  refreshToken: z.string().min(1),
  expiresAt: z.iso.datetime(),
});
export type Session = z.infer<typeof Session>;

/** Where the session is kept: with the local cloud that it belongs to, else in the user's own configuration. */
export function sessionFile(home: string, isLocal: boolean, env: Terminal['env']): string {
  if (isLocal || env['GATEHOUSE_HOME'] !== undefined) return join(home, 'session.json');
  return join(env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config'), 'gatehouse', 'session.json');
}

/** The stored session, if there is one. */
export async function readSession(file: string): Promise<Session | undefined> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    return Session.parse(JSON.parse(text));
  } catch (cause) {
    throw new GatehouseError('BAD_SESSION', `${file} cannot be read; sign in again: gatehouse login`, { file }, cause);
  }
}

/** Stores a session so that nobody else can read it. */
export async function writeSession(file: string, session: Session): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  await writeFile(temporary, `${JSON.stringify(session, null, 2)}\n`, { mode: 0o600 });
  await chmod(temporary, 0o600);
  await rename(temporary, file);
}
