// Without this function nobody would get a prediction on request: it answers from the release that the pointer names, and
// from no other. It runs foreign model files and SQL, locked in, and may write nothing.
import { mkdirSync, rmSync } from 'node:fs';
import { z } from 'zod';
import { onlineFeatures } from '#adapters/duckdb/online.ts';
import { onnxScoring } from '#adapters/onnx/scoring.ts';
import { readAggregates } from '#read-model/aggregates.ts';
import { readEnvironment } from '#runtime/env.ts';
import { httpApiHandler } from '#runtime/http-api.ts';
import { clock, ledgerOf, storesOf, Text } from '#runtime/wiring.ts';
import { servingCore } from '#serving/server.ts';

const { MODEL, LEDGER_TABLE, LAKE_BUCKET, ARTIFACT_BUCKET } = readEnvironment(
  z.object({ MODEL: Text, LEDGER_TABLE: Text, LAKE_BUCKET: Text, ARTIFACT_BUCKET: Text }),
);
const FOLDER = '/tmp/endpoint';
// A process that was ended while it loaded has left its files.
rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
const ledger = ledgerOf({ ledger: LEDGER_TABLE });
const { lake, documents, releases } = storesOf({ LAKE_BUCKET, ARTIFACT_BUCKET });

export const handler = httpApiHandler(
  servingCore({
    model: MODEL,
    ledger,
    clock,
    artifacts: releases,
    lake,
    aggregates: { read: (model, basis) => readAggregates(ledger, documents, model, basis) },
    scoring: onnxScoring,
    features: onlineFeatures,
    folder: FOLDER,
  }),
);
