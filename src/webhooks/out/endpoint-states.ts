/** `draining` sends what waits and takes nothing new; `paused` keeps what comes; `disabled` takes nothing and sends nothing. */
export const ENDPOINT_STATES = ['active', 'paused', 'draining', 'disabled'] as const;

export type EndpointState = (typeof ENDPOINT_STATES)[number];

/** What people do. The gateway itself disables what is gone or has failed for too long. */
export const ENDPOINT_ACTS = ['pause', 'resume', 'drain', 'disable'] as const;

export type EndpointAct = (typeof ENDPOINT_ACTS)[number];

/** From, act → to. What stands in no row is refused. */
export const ENDPOINT_TRANSITIONS: Readonly<
  Record<EndpointState, Readonly<Partial<Record<EndpointAct, EndpointState>>>>
> = {
  active: { pause: 'paused', drain: 'draining', disable: 'disabled' },
  paused: { resume: 'active', drain: 'draining', disable: 'disabled' },
  draining: { resume: 'active', pause: 'paused', disable: 'disabled' },
  disabled: { resume: 'active' },
};
