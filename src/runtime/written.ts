import type { Writable } from 'node:stream';

/**
 * Writes a text and waits until it has left the process: a pipe takes some 64 KB at once, and Lambda freezes what is still to be
 * written when a function has answered. @throws what the stream says
 */
export function written(stream: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => (error ? reject(error) : resolve()));
  });
}
