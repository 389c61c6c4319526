import { metrics, type Attributes, type Counter, type ObservableResult } from '@opentelemetry/api';
import type { BreakerState } from './breaker.js';
import type { Breakers } from './breakers.js';
import type { Bulkhead } from './bulkhead.js';
import type { VendorBudgets } from './vendor-budgets.js';

const STATES: Readonly<Record<BreakerState, number>> = { closed: 0, 'half-open': 1, open: 2 };

interface Watched {
  breakers: Breakers;
  bulkhead: Bulkhead;
  budgets: VendorBudgets;
}

/** What an operator watches of the way out. Made once telemetry runs: instruments made before it would count into nothing. */
export class ResilienceMetrics {
  readonly #vendor: string;
  readonly #retried: Counter;
  readonly #collapsed: Counter;
  readonly #shed: Counter;
  readonly #overBudget: Counter;
  readonly #stops: (() => void)[] = [];

  constructor(vendor: string) {
    this.#vendor = vendor;
    const meter = metrics.getMeter('gatehouse');
    const counter = (name: string, description: string) => meter.createCounter(name, { description });
    this.#retried = counter('gatehouse.vendor.retries', 'Calls that the gateway sent to a vendor again by itself.');
    this.#collapsed = counter('gatehouse.vendor.collapsed', 'Reads that got the answer of an equal one under way.');
    this.#shed = counter('gatehouse.vendor.shed', 'Calls turned away since too many were under way.');
    this.#overBudget = counter(
      'gatehouse.vendor.budget.refused',
      'Calls refused since their share of the budget was used up.',
    );
  }

  retried(operation: string): void {
    this.#retried.add(1, { 'gatehouse.vendor': this.#vendor, 'gatehouse.operation': operation });
  }

  collapsed(): void {
    this.#collapsed.add(1, { 'gatehouse.vendor': this.#vendor });
  }

  shed(priority: string): void {
    this.#shed.add(1, { 'gatehouse.vendor': this.#vendor, 'gatehouse.priority': priority });
  }

  overBudget(kind: string): void {
    this.#overBudget.add(1, { 'gatehouse.vendor': this.#vendor, 'gatehouse.budget': kind });
  }

  watch({ breakers, bulkhead, budgets }: Watched): void {
    this.#gauge(
      'gatehouse.vendor.breaker.state',
      '0 closed, 1 half open, 2 open; `*` is the whole vendor.',
      (observe) => {
        const { whole, operations } = breakers.view();
        observe(STATES[whole.state], { 'gatehouse.operation': '*' });
        for (const { operation, view } of operations) observe(STATES[view.state], { 'gatehouse.operation': operation });
      },
    );
    this.#gauge('gatehouse.vendor.calls', 'Calls under way or waiting, by class of operation.', (observe) => {
      for (const lane of bulkhead.view()) {
        observe(lane.underWay, { 'gatehouse.class': lane.class, state: 'under-way' });
        observe(lane.waiting, { 'gatehouse.class': lane.class, state: 'waiting' });
      }
    });
    this.#gauge('gatehouse.vendor.budget.used', 'Calls of this instance in the vendor’s window.', (observe) => {
      for (const { kind, used } of budgets.view()) observe(used, { 'gatehouse.budget': kind });
    });
  }

  stop(): void {
    for (const stop of this.#stops) stop();
  }

  #gauge(name: string, description: string, read: (observe: (value: number, by: Attributes) => void) => void): void {
    const gauge = metrics.getMeter('gatehouse').createObservableGauge(name, { description });
    const callback = (result: ObservableResult): void =>
      read((value, by) => result.observe(value, { 'gatehouse.vendor': this.#vendor, ...by }));
    gauge.addCallback(callback);
    this.#stops.push(() => gauge.removeCallback(callback));
  }
}
