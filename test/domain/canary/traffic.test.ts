import { expect, it } from 'vitest';
import { trafficOf } from '#domain/canary/traffic.ts';
import { arm, minute, minuteAt } from './_canary.ts';

const window = (minutes: number) => ({ from: new Date(minuteAt(0)), until: new Date(minuteAt(minutes)) });

it('says how many requests there are, and which share of them the champion fails', () => {
  const minutes = [
    minute(-1, arm(500), arm(500), arm(500, 500)),
    minute(0, arm(0), arm(0), arm(90, 3)),
    // A canary that has ended: what its candidate fails is not the champion's.
    minute(3, arm(20, 20), arm(10, 1), arm(60)),
    minute(4, null, null, arm(120)),
    minute(10, arm(500), arm(500), arm(500, 500)),
  ];
  expect(trafficOf(minutes, window(10))).toEqual({ requestsPerSecond: 0.5, errorRate: 4 / 280 });
});

it('is none without minutes, and in a window without time', () => {
  expect(trafficOf([], window(10))).toEqual({ requestsPerSecond: 0, errorRate: 0 });
  expect(trafficOf([minute(0, arm(1), arm(1), arm(1))], window(0))).toEqual({ requestsPerSecond: 0, errorRate: 0 });
});
