import { type Digest, digestOfJson } from '../canonical/digest.ts';

/** The engine that runs feature SQL, as feature digests name it; a test compares it with the engine that is installed. */
export const FEATURE_ENGINE = 'duckdb v1.5.5, layout 2';

/** The scorer, as prediction digests name it; a test compares it with the runtime that is installed. */
export const SCORER: Digest = digestOfJson({ runtime: 'onnxruntime 1.30.0', format: 1 });
