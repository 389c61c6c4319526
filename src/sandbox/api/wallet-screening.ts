import { json, type Answer } from '../wire/answers.js';
import { Float, type JsonObject } from '../wire/json.js';
import type { World } from '../world.js';
import { Fields } from './fields.js';
import type { Call } from './operation.js';
import { readObject } from './request-body.js';

const chains = ['BTC', 'ETH', 'LTC', 'XRP', 'BCH', 'DOGE', 'TRX', 'SOL', 'MATIC', 'BNB', 'USDT', 'USDC'];

/** `POST /v3/wallet-screening/`: nothing of it is kept. An address that ends in `bad` had to do with a mixer. */
export const screenWallet = (call: Call, _world: World): Answer => {
  const read = readObject(call);
  if ('refusal' in read) return read.refusal;
  const fields = new Fields(read.object);
  const address = fields.text('wallet_address', { required: true });
  const chain = fields.has('blockchain')
    ? fields.choice('blockchain', chains)
    : fields.text('blockchain', { required: true });
  fields.choice('direction', ['inbound', 'outbound', 'deposit', 'withdrawal']);
  if (!fields.valid || address === null || chain === null) return json(400, fields.errors);
  const bad = address.toLowerCase().endsWith('bad');
  const funds = [flow(bad)];
  return json(200, {
    provider: 'merklescience',
    screening_type: 'WALLET_SCREENING',
    risk_score: bad ? 72 : 4,
    severity: bad ? 'HIGH' : 'LOW',
    status: 'SCREENED',
    summary: bad ? 'Dominant risk: mixer' : 'No risk found',
    wallet_address: address,
    blockchain: chain,
    sanctions_hit: bad,
    dominant_risk_category: bad ? 'mixer' : null,
    source_of_funds: funds,
    destination_of_funds: funds,
    counterparty_connections: [
      {
        entity_name: 'Prueba Exchange',
        entity_type: 'Exchange',
        entity_subtype: 'Mandatory KYC and AML',
        risk_level: 'LOW',
        categories: ['exchange_licensed'],
        received_usd: new Float(18420.55),
        sent_usd: new Float(0),
        received_hops: 1,
        sent_hops: 0,
        percentage: new Float(61.4),
        is_direct: true,
        country: 'ES',
      },
    ],
  });
};

const flow = (bad: boolean): JsonObject => ({
  category: bad ? 'mixer' : 'exchange_licensed',
  entity_name: bad ? 'Mezcladora de Prueba' : 'Prueba Exchange',
  entity_type: bad ? 'Mixer' : 'Exchange',
  entity_subtype: '',
  exposure_direction: 'incoming',
  exposure_type: 'direct',
  is_direct: true,
  amount_usd: new Float(18420.55),
  percentage: new Float(61.4),
  hops: 0,
  risk_level: bad ? 'CRITICAL' : 'LOW',
  country: 'ES',
});
