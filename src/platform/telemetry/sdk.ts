import type { IncomingMessage, ServerResponse } from 'node:http';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { ParentBasedSampler, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace';
import type { Config } from '../config/schema.js';

export interface Telemetry {
  /** Writes the metrics in the Prometheus text form. */
  metrics(request: IncomingMessage, response: ServerResponse): void;
  /** Whether spans go anywhere. */
  spans: boolean;
  stop(): Promise<void>;
}

/** Starts OpenTelemetry: metrics always, spans when a collector is configured. No instrumentation is loaded: see tracing.ts. */
export function startTelemetry(config: Config, instance: string): Telemetry {
  const exporter = new PrometheusExporter({ preventServerStart: true });
  const endpoint = config.telemetry.otlpEndpoint;
  // The SDK reads its exporters from the environment; without a collector it must not try one on localhost.
  process.env['OTEL_TRACES_EXPORTER'] = endpoint === undefined ? 'none' : 'otlp';
  process.env['OTEL_LOGS_EXPORTER'] = 'none';
  if (endpoint !== undefined) process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = endpoint;
  const sdk = new NodeSDK({
    resource: resourceFromAttributes({ 'service.name': 'gatehouse', 'service.instance.id': instance }),
    metricReaders: [exporter],
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(config.telemetry.sampleRatio) }),
    instrumentations: [],
    autoDetectResources: false,
  });
  sdk.start();
  return {
    metrics: (request, response) => exporter.getMetricsRequestHandler(request, response),
    spans: endpoint !== undefined,
    stop: () => sdk.shutdown().catch(() => undefined),
  };
}
