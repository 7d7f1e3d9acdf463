import { App } from 'aws-cdk-lib';
import config from '../gatehouse.config.ts';
import { gatehouse } from '#lib/gatehouse.ts';

await gatehouse(new App(), config);
