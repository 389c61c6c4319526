/** Events on their way to one receiver, in order. */
export interface Shipment {
  /** What the lines are: records of the log, or lines of the operational log. */
  kind: 'records' | 'operational';
  /** One event each, already in the sink's format (OCSF JSON or CEF), without line ends. */
  lines: readonly ShippedLine[];
}
export interface ShippedLine {
  /** Stable id of the event, for receivers that drop doubles: record id, or `batch-<first>-<past>`. */
  id: string;
  /** Instant of the event, epoch milliseconds. */
  atMs: number;
  severity: 'info' | 'low' | 'medium' | 'high';
  text: string;
  /** Number of the record; absent for operational lines and batch statements. */
  seq?: number;
}
/** A receiver. `send` resolves only when the receiver has acknowledged every line; it rejects otherwise, and everything is sent again. */
export interface Sink {
  readonly name: string;
  send(shipment: Shipment, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
