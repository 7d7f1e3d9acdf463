import { defineConfig } from '#model/config.ts';

export default defineConfig({
  environments: {
    dev: { account: '111111111111', region: 'us-east-1', profile: 'gatehouse-dev' },
    staging: { account: '222222222222', region: 'us-east-1', profile: 'gatehouse-staging' },
    prod: { account: '333333333333', region: 'us-east-1', profile: 'gatehouse-prod' },
    control: { account: '444444444444', region: 'us-east-1', profile: 'gatehouse-control' },
  },
  alerts: ['ml-alerts@example.com'],
  approvers: ['ml-approvers@example.com'],
  // Whose accounts of the forge are whose: a review counts by somebody whom control knows, and who has not written what is reviewed.
  people: { maya: { logins: ['maya-of-example'] }, lena: { logins: ['lena-of-example'] } },
  retention: { logDays: 90, artifactYears: 7 },
});
