/** The time that a promotion's own work may take beside the hours that people have. */
export const WORK_HOURS = 6;

/** How long a promotion may wait for its turn: longer than another may hold the lock, its canary included. */
export const PATIENCE_HOURS = 240;
