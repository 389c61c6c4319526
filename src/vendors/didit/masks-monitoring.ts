import { dropped, exempt, fields, leaf, list, type MaskNode, members } from '../../policy/index.js';
import { features } from './masks-reports.js';

const keep = leaf('keep');
const number = leaf('number');

/** The address itself is dropped: who owns it can be found out by anybody. */
export const leanWallet = fields({
  ...members(keep, 'provider screening_type severity status blockchain sanctions_hit dominant_risk_category'),
  risk_score: number,
  ...members(dropped, 'summary wallet_address source_of_funds destination_of_funds counterparty_connections'),
});

/** A business as Didit keeps it. A sole trader's name is a person's. */
export const leanBusiness = fields({
  ...members(keep, 'didit_internal_id status country_code created_at updated_at'),
  ...members(keep, 'last_session_at first_session_at last_activity_at'),
  ...members(number, 'session_count approved_count declined_count in_review_count'),
  vendor_data: exempt,
  features_list: features,
  ...members(dropped, 'display_name legal_name registration_number effective_name features metadata tags'),
});

/** A transaction, whole or as a row of the list: how it was judged; not who paid whom, what or how much. */
export const leanTransaction = (link: MaskNode): MaskNode => {
  const opened = fields({
    ...members(keep, 'type session_id status widget_session_id expires_at'),
    ...members(link, 'url session_token'),
  });
  return fields({
    ...members(keep, 'uuid status severity transaction_type action_type direction created_at txn_date'),
    ...members(keep, 'decision_reason_code'),
    ...members(number, 'transaction_number score'),
    ...members(exempt, 'txn_id vendor_data subject_vendor_data counterparty_vendor_data'),
    alerts: list(
      fields({
        ...members(keep, 'uuid severity status source created_at due_at'),
        ...members(dropped, 'title description metadata'),
      }),
    ),
    ...members(opened, 'remediation action_required'),
    ...members(
      dropped,
      'zone_id amount currency currency_type amount_in_default_currency default_currency_code',
      'preferred_currency_amount preferred_currency_code payment_details payment_txn_id decision_reason_label',
      'metadata props parties payment_methods activities rule_runs provider_results travel_rule',
      'network_snapshot cost_breakdown subject_name subject_country counterparty_name counterparty_country',
      'assigned_to_name tags',
    ),
  });
};
