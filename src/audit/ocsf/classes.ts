/** Version of the Open Cybersecurity Schema Framework that events follow. */
export const OCSF_VERSION = '1.8.0';

/** Who says so, in every event; the version is that of package.json. */
export const PRODUCT = { name: 'Gatehouse', vendor_name: 'Gatehouse', version: '0.1.0' } as const;

/** Activity that no enumeration names: `activity_name` then says which. */
export const OTHER = 99;

interface OcsfClass {
  uid: number;
  name: string;
  category: { uid: number; name: string };
  activities: Readonly<Record<number, string>>;
}

const FINDINGS = { uid: 2, name: 'Findings' };
const IAM = { uid: 3, name: 'Identity & Access Management' };
const APPLICATION = { uid: 6, name: 'Application Activity' };
const LIFE_OF_A_FINDING = { 1: 'Create', 2: 'Update', 3: 'Close' };
const CRUD = { 1: 'Create', 2: 'Read', 3: 'Update', 4: 'Delete' };

/**
 * The classes that records become. None of those that OCSF deprecates: 6004 (for 6001), 2001 (for the special findings), 3001 and 3005
 * (for 3007).
 */
export const CLASSES = {
  'api-activity': { uid: 6003, name: 'API Activity', category: APPLICATION, activities: CRUD },
  authentication: { uid: 3002, name: 'Authentication', category: IAM, activities: { 1: 'Logon' } },
  'detection-finding': { uid: 2004, name: 'Detection Finding', category: FINDINGS, activities: LIFE_OF_A_FINDING },
  'incident-finding': { uid: 2005, name: 'Incident Finding', category: FINDINGS, activities: LIFE_OF_A_FINDING },
  'entity-management': { uid: 3004, name: 'Entity Management', category: IAM, activities: CRUD },
  'application-lifecycle': {
    uid: 6002,
    name: 'Application Lifecycle',
    category: APPLICATION,
    activities: { 3: 'Start', 4: 'Stop' },
  },
} as const satisfies Record<string, OcsfClass>;

export type ClassName = keyof typeof CLASSES;

export const SEVERITIES = {
  info: { id: 1, name: 'Informational' },
  low: { id: 2, name: 'Low' },
  medium: { id: 3, name: 'Medium' },
  high: { id: 4, name: 'High' },
} as const;

export type Severity = keyof typeof SEVERITIES;

/** Status of an activity; findings have their own. */
export const STATUSES = {
  unknown: { id: 0, name: 'Unknown' },
  success: { id: 1, name: 'Success' },
  failure: { id: 2, name: 'Failure' },
} as const;

/** What a record becomes: class, activity and the members that only this class has. */
export interface Mapped {
  class: ClassName;
  activity: number;
  /** Needed where the activity is `OTHER`. */
  activityName?: string;
  severity: Severity;
  status: { id: number; name: string };
  /** One sentence of ours: no value of a caller's stands in it. */
  message: string;
  members: object;
  profiles?: readonly string[];
}

/** Class, activity, severity and status as OCSF's base event spells them. */
export function classified(mapped: Mapped): object {
  const { uid, name, category, activities }: OcsfClass = CLASSES[mapped.class];
  const severity = SEVERITIES[mapped.severity];
  const activityName = mapped.activityName ?? activities[mapped.activity] ?? 'Unknown';
  return {
    class_uid: uid,
    class_name: name,
    category_uid: category.uid,
    category_name: category.name,
    activity_id: mapped.activity,
    activity_name: activityName,
    type_uid: uid * 100 + mapped.activity,
    type_name: `${name}: ${activityName}`,
    severity_id: severity.id,
    severity: severity.name,
    status_id: mapped.status.id,
    status: mapped.status.name,
    message: mapped.message,
  };
}
