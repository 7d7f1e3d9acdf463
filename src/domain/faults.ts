/** What is known of a fault wherever it is thrown. */
interface FaultDefinition {
  /** What happened, in one sentence. */
  readonly meaning: string;
  /** Whether the same call may succeed later without anybody changing anything. */
  readonly retry: boolean;
}

/** It passes by itself: the same call may succeed later. */
const passing = (meaning: string): FaultDefinition => ({ meaning, retry: true });

/** It lasts until somebody changes what it names. */
const lasting = (meaning: string): FaultDefinition => ({ meaning, retry: false });

/** The registry of the codes of faults. Codes are never renamed: chains name them. */
export const FAULTS = {
  // What a person writes
  BAD_DOCUMENT: lasting('a document does not have the shape that it must have'),
  NOT_CANONICAL: lasting('a document is not canonical JSON'),
  BAD_MODEL: lasting("a model's file is missing or not valid"),
  NO_DEFAULT_EXPORT: lasting("a model's file has no default export"),
  CONTRADICTION: lasting('definitions, policies and configuration can never pass together'),
  POLICY_LOOSENED: lasting("a model's policy is looser than the organisation's floor"),
  UNKNOWN_MODEL: lasting('no model of the name is deployed'),
  AS_OF_FUTURE: passing('the logical day of a run is in the future'),
  BAD_SAMPLE: lasting('a replay is given a share of rows that there cannot be'),
  BAD_DAMAGE: lasting('a replay is given damage that it does not know, or for days that it does not have'),
  NO_REPLAY: lasting('the model has no replay'),
  SAME_NAME: lasting('two files of a day have the same name'),
  BAD_SCHEDULE: lasting('an expression is no schedule that EventBridge Scheduler accepts'),
  NO_PROGRAM: lasting('a program cannot be started'),

  // The ledger
  LEDGER_BUSY: passing('the ledger is contended: each attempt met another transaction'),
  LEDGER_UNANSWERED: passing('the ledger does not answer in time'),
  DEPENDENCY_OPEN: passing('an endpoint does not try a look-up whose dependency has just kept failing'),
  DEPENDENCY_SILENT: passing('a look-up of an endpoint is not answered in time'),
  ARM_CRASHED: passing('the function of an arm ended with an error'),
  TOKEN_REUSED: lasting('an idempotency token was used with another body'),
  BAD_TRANSACTION: lasting('no ledger accepts the transaction'),
  CANARY_NOT_STOPPED: passing('an ended promotion has traffic divided, or a candidate that is not quarantined'),
  BAD_TRAFFIC: lasting('traffic is divided among arms that cannot be'),
  BAD_POINTER: lasting('a pointer is written that does not follow the one before it'),
  BAD_ITEM: lasting('an item holds a value of another type than it must'),
  KEY_TOO_LONG: lasting('a key is longer than DynamoDB accepts'),
  BAD_NUMBER: lasting('an item has a number that DynamoDB does not take'),
  ITEM_TOO_LARGE: lasting('an item is larger than DynamoDB accepts'),
  TRANSACTION_TOO_LARGE: lasting('a transaction is larger than DynamoDB accepts'),
  CHANGE_TOO_LARGE: lasting('the items of a change are larger than a record of changes may be'),
  RECORD_TOO_LARGE: lasting('an audit record is larger than 4 KB'),
  UNKNOWN_AUTHORITY: lasting('a key is of no known authority'),
  NO_CATALOGUE: lasting('a function that has no catalogue table reads a partition'),

  ISSUER_SILENT: passing('an issuer of tokens does not say by which keys it signs'),

  // The audit chain
  METRICS_UNREAD: passing('CloudWatch did not give a metric'),
  CHAIN_CONTENDED: passing('the audit chain is contended: each attempt met another record'),
  CHAIN_RESERVED: lasting('a change writes an item that follows from the record'),
  AUDIT_REQUIRED: lasting('an item that is written with its audit record only is written without'),
  DECISION_OUTDATED: passing('what a change was decided on expired before it was written'),
  DECISION_NOT_RECORDED: passing('a decision that does not count could not be recorded'),
  RECORD_VANISHED: passing('a record that was listed is not there'),
  PUBLISHED_DIFFERENTLY: lasting('another record is published under the same number'),
  UNPUBLISHED: passing('records of a chain are not published'),
  EVENT_REFUSED: passing('the event bus does not accept an announcement'),
  MESSAGE_TOO_LARGE: lasting('a message is larger than its service accepts'),

  // What the supervisor finds
  UNSUPERVISED: lasting('the supervisor of an environment does not run'),
  ROTATION_LAGS: lasting('stored objects are not hashed again in time'),
  EXECUTION_OVERDUE: lasting('an execution runs for longer than it may'),
  DEAD_LETTERS: lasting('a dead-letter queue is not empty'),
  INBOX_LAGS: passing('announcements of peers are not read'),
  SUBSCRIPTION_LOST: lasting('nobody hears what is said: a subscription is gone'),
  EVENT_SOURCE_DISABLED: lasting('a queue or a stream does not invoke its function'),
  KEY_UNUSABLE: lasting('a key is disabled, or scheduled for deletion'),
  DATA_OVERDUE: passing('a source has delivered no new day in time'),

  // Peers and signatures
  BAD_SIGNATURE: lasting('an envelope is not signed by the key that it must be signed by'),
  NO_PUBLIC_KEY: passing('KMS gives no public key'),
  NO_SIGNATURE: passing('KMS gives no signature'),
  NO_PEER_KEY: passing('a peer shows no public key yet'),
  PEER_NOT_TRUSTED: passing('no key of a peer is pinned yet'),
  PEER_KEY_CHANGED: lasting('a peer shows another key than the pinned one'),
  NO_POINTER: passing('a pointer that was switched is not there yet'),
  POINTER_HIDDEN: lasting('a peer no longer shows a pointer that was seen'),
  POINTER_REGRESSED: lasting('a peer shows an older pointer than the one that was seen'),

  // Objects and data
  ARTIFACT_MISSING: lasting('an object that is named by its digest is not there'),
  REQUEST_LINE_DAMAGED: lasting('a line of the request log cannot be read'),
  CHAMPION_NOT_LOADED: lasting('the champion, beside which a candidate is replayed, does not load'),
  REQUESTS_TOO_MANY: lasting('the request log has more files, or requests, than are read at once'),
  REQUEST_LOG_KEY: passing('KMS gave no data key for the request log'),
  ARTIFACT_TAMPERED: lasting('an object has other bytes than its digest says'),
  OBJECT_VANISHED: passing('an object that was listed is not there'),
  DUPLICATE_DAY: lasting('a day is in a dataset twice'),
  MIXED_PARTITION: lasting('the objects of a partition lie in several buckets'),
  ADMISSION_RACED: passing('another admission of the same partition was recorded at the same time'),
  NO_RESULT: passing('the feature engine gave no result for a day'),
  NO_DATA_RULE: lasting('the policy has no data rules, and data is to be validated'),
  DATA_CHECK_RACED: passing('another data check was recorded at the same time'),
  NO_DRIFT_RULE: lasting('the policy in force has no drift rule, and drift is to be judged'),
  DRIFT_CONTENDED: passing('the reaction to drift is contended: each attempt met another write'),
  ROWS_NOT_WRITTEN: passing('DynamoDB did not accept all rows of a batch'),
  PREDICTIONS_DAMAGED: lasting('a file of predictions is not the one that was published'),
  NOT_ADMITTED: passing('data was landed and not admitted in time'),

  // Runs, releases and promotions
  ITEMS_FAILED: passing('some items of a round failed; the others are done'),
  RUN_EXISTS: lasting('a run of the name exists already'),
  RUN_MISMATCH: lasting('no run has the name and the logical day'),
  RUN_MOVED: passing('a run was changed at the same time'),
  RUN_NOT_RECORDED: passing('the end of a run could not be recorded'),
  NOT_REGISTERED: lasting('a release is not registered'),
  NO_CANDIDATE: lasting('a release is no candidate of the run'),
  NO_BASELINE: lasting('the model has no baseline'),
  NOT_SCORABLE: lasting('a model has no predictions for rows that it is given'),
  VERSION_TAKEN: passing('a version was given to another release at the same time'),
  CANARY_MISMATCH: lasting('what was measured of a canary, or of its shadow, is of another model, release or time'),
  NO_PROMOTION: lasting('no promotion has the name'),

  // The command line
  CONTROL_FAILED: passing('control answers with an error that is no refusal'),
  API_SILENT: passing('an API does not answer in time'),
  API_UNREACHABLE: passing('an API cannot be reached'),
  BAD_SESSION: lasting('the file of the session cannot be read'),
  NO_TOKENS: passing('the user pool gives no tokens'),
  NO_SECRET: passing('the user pool gives no key for an authenticator'),
  UNKNOWN_CHALLENGE: lasting('the user pool demands what the command does not know'),
  NO_USER_POOL: lasting('control is not deployed'),
  DEPLOY_FAILED: lasting('cdk ends with an error'),
  RECONCILER_FAILED: passing('the reconciler fails after a deployment'),

  // The local cloud
  LOCAL_CLOUD_BROKEN: lasting('a process of the local cloud has ended'),
  LOCAL_COPY_REFUSED: lasting('a local cloud that is to be copied is not stopped'),
  LOCAL_DEPLOY_FAILED: lasting('a deployment to the local cloud fails'),
  LOCAL_PORT_UNUSABLE: lasting('a port is in use or no port'),
  LOCAL_PROCESS_STAYS: lasting('a process of the local cloud does not end'),
  LOCAL_PYTHON_MISSING: lasting('there is no Python environment'),
  LOCAL_START_FAILED: lasting('a process of the local cloud does not start'),
  LOCAL_STATE_NOT_SAVED: lasting('the local cloud ended without saving its state'),
  LOCAL_SYNTH_FAILED: lasting('the app does not synthesise'),
  LOCAL_TIME_SCALE_UNUSABLE: lasting('the time scale of a local cloud is no positive number'),
} as const satisfies Readonly<Record<string, FaultDefinition>>;

export type FaultCode = keyof typeof FAULTS;
