export { start, startFailure } from './start.js';
