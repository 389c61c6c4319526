/** The face of the sandbox: a faithful Didit to run against, in this process or as one of its own. */
export { launchSandbox } from './launch.js';
