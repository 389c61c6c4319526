// The container's health check: exits 0 when the instance in it is ready. It loads nothing of the gateway, whose start-up would cost a
// second of CPU at every check. The certificate is the public name's, so it is not compared with this address.
import { get } from 'node:https';

const port = Number(process.env.GATEHOUSE_PUBLIC_PORT || 8443);
const asked = get({ host: '127.0.0.1', port, path: '/health/ready', rejectUnauthorized: false, timeout: 2_000 });
asked.on('response', (answer) => process.exit(answer.statusCode === 200 ? 0 : 1));
asked.on('timeout', () => asked.destroy(new Error('no answer in time')));
asked.on('error', () => process.exit(1));
