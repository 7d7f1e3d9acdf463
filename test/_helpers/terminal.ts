import { PassThrough, Writable } from 'node:stream';
import type { Terminal } from '#cli/terminal.ts';

/** A terminal without a person, which keeps what it is shown. */
export function silentTerminal(env: Terminal['env']): Terminal & { readonly shown: { out: string; err: string } } {
  const shown = { out: '', err: '' };
  const keeping = (name: 'out' | 'err'): Writable =>
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        shown[name] += chunk.toString();
        done();
      },
    });
  return { env, stdin: new PassThrough(), stdout: keeping('out'), stderr: keeping('err'), shown };
}
