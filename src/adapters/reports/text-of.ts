import { gunzipSync } from 'node:zlib';
import { MOST_REPORT_BYTES } from '#domain/attestation/report-format.ts';
import { type Refused, refused } from './reading.ts';

type Text = { readonly kind: 'text'; readonly text: string } | Refused;

/** The text of a report, which is UTF-8 and may be packed by gzip once. Nothing beyond the limit is ever unpacked. */
export function textOf(bytes: Uint8Array): Text {
  if (bytes.byteLength > MOST_REPORT_BYTES) return tooLarge(`the report has ${bytes.byteLength} bytes`);
  const plain = isGzip(bytes) ? unpacked(bytes) : bytes;
  if (!(plain instanceof Uint8Array)) return plain;
  if (isGzip(plain)) return refused('report-format', 'the report is packed twice', 'pack it once, or not at all');
  try {
    return { kind: 'text', text: new TextDecoder('utf-8', { fatal: true }).decode(plain) };
  } catch {
    return refused('report-format', 'the report is not UTF-8', 'write it in UTF-8');
  }
}

const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

const tooLarge = (found: string): Refused => refused('report-size', `${found}, at most ${MOST_REPORT_BYTES}`);

function unpacked(bytes: Uint8Array): Uint8Array | Refused {
  try {
    return gunzipSync(bytes, { maxOutputLength: MOST_REPORT_BYTES });
  } catch (error) {
    if (error instanceof RangeError) return tooLarge('the report unpacks to more bytes than are read');
    return refused('report-format', 'the report begins like gzip and cannot be unpacked', 'write it again');
  }
}
