import { expect, it } from 'vitest';
import { hindranceOf } from './places';

const online = { status: 'online', schedulable: true, draining: false } as const;

it('bars what the host refuses, and only warns of what is away', () => {
  expect(hindranceOf(online)).toBeNull();
  expect(hindranceOf(undefined)).toEqual({ why: 'unknown', barred: true });
  expect(hindranceOf({ ...online, schedulable: false })).toEqual({ why: 'cordoned', barred: true });
  expect(hindranceOf({ ...online, schedulable: false, draining: true })).toEqual({ why: 'draining', barred: true });
  for (const status of ['lost', 'left', 'awaited'] as const) {
    expect(hindranceOf({ ...online, status })).toEqual({ why: status, barred: false });
    expect(hindranceOf({ ...online, status, schedulable: false })).toEqual({ why: 'cordoned', barred: true });
  }
});
