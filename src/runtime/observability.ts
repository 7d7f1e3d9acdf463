import { Logger } from '@aws-lambda-powertools/logger';

/** Structured logs; name and level come from the function's own environment (POWERTOOLS_SERVICE_NAME, POWERTOOLS_LOG_LEVEL). */
export const logger = new Logger();
