/** MB of memory of the functions that run the engine, `features`, `score` and `admission`: lib/ gives it, the engine's limit follows from it. */
export const ENGINE_FUNCTION_MB = 2048;

/**
 * What the engine may take of it: 70 %. The rest is for Node (80 MB), for files on their way between S3 and the disk (8 at
 * once) and for what the engine allocates beside its buffers. At 100 % Lambda ends the process before the engine can say so.
 */
export const ENGINE_MEMORY = `${Math.floor(ENGINE_FUNCTION_MB * 0.7)}MiB`;

/** MB of memory of an endpoint's function, and of those of its arms. */
export const ENDPOINT_FUNCTION_MB = 2048;

/**
 * What each engine of an endpoint may take: there are up to four for the champion, one for each day that is served, and as many
 * for the release that a rollback would serve, and one for a golden request; the models and Node have the rest. The candidate of a blue-green plan
 * has one or two, and what a rollback would serve has no more by then, but in the first hours after a promotion.
 */
export const ENDPOINT_ENGINE_MEMORY = `${Math.floor((ENDPOINT_FUNCTION_MB * 0.7) / 9)}MiB`;

/** MB of `/tmp` of an endpoint: the daily aggregates of a day, while they are loaded. */
export const ENDPOINT_DISK_MB = 1024;

/**
 * MB of `/tmp` of `features`, and of `admission`, which must not refuse what `features` could read. A window of two million rows of 50 features puts 0.5 GB of features and labels and 0.5 GB of
 * training rows there, and the engine 1 GB of what does not fit into its memory: twice that.
 */
export const FEATURES_DISK_MB = 4096;

/** The most that the engine may put there of what does not fit into its memory. */
export const ENGINE_SPILL = '1024MiB';

/** MB of `/tmp` of `score`: features and predictions of one day, and of an earlier version of it, each below 200 MB. */
export const SCORE_DISK_MB = 1024;
