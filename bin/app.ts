import { App } from 'aws-cdk-lib';
import config from '../gatehouse.config.ts';
import { gatehouse } from '#lib/gatehouse.ts';
import { defineConfig } from '#model/config.ts';

await gatehouse(new App(), defineConfig(config));
