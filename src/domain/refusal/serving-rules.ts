import { rulesOf } from './rule.ts';

const serving = rulesOf();

const METADATA = 'see the metadata of the model: GET /v2/models/MODEL';

/** The rules by which an endpoint refuses a request, or cannot answer any. */
export const SERVING_RULES = {
  'endpoint-path': serving(404, 'the path is one of the Open Inference Protocol', 'use a path of the protocol, v2'),
  'endpoint-method': serving(405, 'the path takes the method of the request'),
  'endpoint-model': serving(404, 'the endpoint answers for the model'),
  'version-served': serving(404, 'the version that is named is the served one', 'name the served version, or none'),
  'body-size': serving(413, 'a request body has at most 1 MB', 'send fewer rows per request'),
  'body-json': serving(
    400,
    'a request body is JSON, which has neither NaN nor Infinity',
    'send missing values as null',
  ),
  'inference-request': serving(400, 'a request body is an inference request of the protocol'),
  'tensors-as-json': serving(
    400,
    'tensors are JSON in the body',
    'with tritonclient, set binary_data=False for every input',
  ),
  'inputs-known': serving(422, 'inputs are event columns of the model', METADATA),
  'inputs-complete': serving(422, 'each input is there once', METADATA),
  'input-datatype': serving(422, 'an input has the datatype of its column', METADATA),
  'input-shape': serving(422, 'inputs have one value per row'),
  'input-values': serving(422, 'values are of the datatype of their input'),
  'input-nulls': serving(422, 'values that a row needs are not null'),
  'outputs-known': serving(422, 'outputs are those of the model', METADATA),
  'rows-per-request': serving(422, 'a request has at least one row, and no more than the model allows'),
  'request-ids-unique': serving(422, 'an event is in a request once', 'send each event once, not in its own context'),
  'events-of-one-day': serving(422, 'the events of a request are of one UTC day', 'send a request for each day'),
  'event-day-served': serving(
    422,
    'events are of today, of yesterday, of the newest day with aggregates, or of the day after it',
    'read the predictions of the batch',
  ),
  'golden-request-held': serving(
    404,
    'the served release has a golden request',
    'promote a release that was trained while its model.ts had online',
  ),
  'pointer-read': serving(503, 'the pointer can be read', 'try again'),
  'champion-promoted': serving(503, 'the pointer names a release', 'promote a release'),
  'champion-loads': serving(503, 'the served release loads', 'roll back, or repair what is named'),
  'release-read': serving(503, 'the files of the served release can be read', 'try again'),
  'champion-online': serving(503, 'the served release answers requests', 'promote a release whose model.ts has online'),
  'arm-planned': serving(503, 'a plan in force gives the arm a share of the traffic', 'read the pointer again'),
  'aggregates-load': serving(503, 'the daily aggregates load'),
  'aggregates-published': serving(
    503,
    'a batch run has published daily aggregates',
    'start one: gatehouse prediction run',
  ),
  'aggregates-recent': serving(
    503,
    'daily aggregates are no older than the model allows',
    'see why: gatehouse prediction plan',
  ),
  'aggregates-complete': serving(
    503,
    'each daily aggregate that features of the day look back on is published',
    'see why: gatehouse prediction plan',
  ),
  'answer-logged': serving(503, 'an answer is in the request log before it is given', 'try again'),
  'answer-computed': serving(500, 'a request is answered without a fault', 'see the log of the endpoint'),
} as const;
