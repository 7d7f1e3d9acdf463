// Without this function a reviewer would have digests and no page to read: it computes and draws the evaluation reports. It
// holds no ledger right and no signing right: what it writes is named by its content, and others say what it belongs to.
import { z } from 'zod';
import { s3ArtifactStore } from '#adapters/aws/artifact-store.ts';
import { drawReport } from '#adapters/report/page.ts';
import { readEnvironment } from '#runtime/env.ts';
import { tasks } from '#runtime/tasks.ts';
import { s3, Text } from '#runtime/wiring.ts';
import { writeReport } from '#use-cases/validation/write-report.ts';

const { LAKE_BUCKET, ARTIFACT_BUCKET } = readEnvironment(z.object({ LAKE_BUCKET: Text, ARTIFACT_BUCKET: Text }));

export const handler = tasks({
  'Write report': writeReport({
    documents: s3ArtifactStore(s3, LAKE_BUCKET),
    releases: s3ArtifactStore(s3, ARTIFACT_BUCKET),
    draw: drawReport,
  }),
});
