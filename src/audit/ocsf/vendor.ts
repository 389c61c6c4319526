import type { StoredRecord } from '../record.js';
import { type Mapped, OTHER, STATUSES } from './classes.js';
import { actorOf, callMembers, gatewayOf, textOf } from './objects.js';

/** Something is about to be done at the vendor; what came of it stands in a later record. */
export function intent(record: StoredRecord): Mapped {
  return {
    class: 'api-activity',
    activity: OTHER,
    activityName: 'Intent',
    severity: 'info',
    status: STATUSES.unknown,
    message: 'A change at the vendor is about to be asked for.',
    members: record.vendor === undefined ? callMembers(record) : vendorMembers(record),
  };
}

export function outcomeUnknown(record: StoredRecord): Mapped {
  return {
    ...intent(record),
    activityName: 'Outcome unknown',
    severity: 'medium',
    message: 'What came of a call is not known.',
  };
}

export function vendorCall(record: StoredRecord): Mapped {
  const code = record.vendor?.status ?? 0;
  const failed = code === 0 || code >= 400;
  return {
    class: 'api-activity',
    activity: OTHER,
    activityName: 'Vendor call',
    severity: failed ? 'low' : 'info',
    status: failed ? STATUSES.failure : STATUSES.success,
    message: failed ? 'A call to the vendor failed.' : 'A call to the vendor was answered.',
    members: { ...vendorMembers(record), status_code: String(code) },
  };
}

export function transition(record: StoredRecord): Mapped {
  return {
    class: 'api-activity',
    activity: 3,
    severity: 'info',
    status: STATUSES.success,
    message: 'The status of a verification changed.',
    members: {
      ...callMembers(record),
      resources: [
        { type: 'verification', uid: record.verification ?? record.id, name: textOf(record, 'to') ?? 'unknown' },
      ],
    },
  };
}

export function upload(record: StoredRecord): Mapped {
  return {
    class: 'api-activity',
    activity: 1,
    severity: 'info',
    status: STATUSES.success,
    message: 'A picture for a step of a verification was kept until that step.',
    members: callMembers(record),
  };
}

export function webhook(message: string): (record: StoredRecord) => Mapped {
  return (record) => ({
    class: 'api-activity',
    activity: 1,
    severity: 'info',
    status: STATUSES.success,
    message,
    members: callMembers(record),
  });
}

export function webhookFailed(record: StoredRecord): Mapped {
  return {
    ...webhook('A webhook could not be delivered.')(record),
    severity: record.detail?.['dead'] === true ? 'medium' : 'low',
    status: STATUSES.failure,
  };
}

/** Outwards: the gateway calls the vendor, for whoever asked. */
function vendorMembers(record: StoredRecord): object {
  return {
    actor: actorOf(record),
    api: {
      operation: record.vendor?.operation ?? 'unknown',
      service: { name: record.vendor?.name ?? 'unknown' },
      request: { uid: record.call ?? record.id },
      ...(record.vendor?.status === undefined ? {} : { response: { code: record.vendor.status } }),
    },
    src_endpoint: gatewayOf(record),
    dst_endpoint: { svc_name: record.vendor?.name ?? 'unknown' },
  };
}
