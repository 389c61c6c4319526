import { start } from './start/index.js';

await start(process.env);
