/** The types of financial entity of Implementing Regulation (EU) 2025/302, field 1.4, with the values of the JSON template. */
export const ENTITY_TYPES = [
  'credit_institution',
  'payment_institution',
  'exempted_payment_institution',
  'account_information_service_provider',
  'electronic_money_institution',
  'exempted_electronic_money_institution',
  'investment_firm',
  'crypto-asset_service_provider',
  'issuer_of_asset-referenced_tokens',
  'central_securities_depository',
  'central_counterparty',
  'trading_venue',
  'trade_repository',
  'manager_of_alternative_investment_fund',
  'management_company',
  'data_reporting_service_provider',
  'insurance_and_reinsurance_undertaking',
  'insurance_intermediary_reinsurance_intermediary_and_ancillary_insurance_intermediary',
  'institution_for_occupational_retirement_provision',
  'credit_rating_agency',
  'administrator_of_critical_benchmarks',
  'crowdfunding_service_provider',
  'securitisation_repository',
] as const;

export type EntityType = (typeof ENTITY_TYPES)[number];
