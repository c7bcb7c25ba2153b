"""Sending traces and metrics where OpenTelemetry's environment variables say; nowhere where they say nothing."""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Iterator
from contextlib import contextmanager

from scenewise.store.errors import InputError

EXPORTERS = ("otlp", "console", "none")


def exporter_of(signal: str) -> str:
    """Which exporter the environment names for "traces" or "metrics": that of OTEL_TRACES_EXPORTER, else otlp where an endpoint is set.

    Raises InputError for one that there is not, and for a protocol that is not installed.
    """
    name = signal.upper()
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return "none"
    endpoint = os.environ.get(f"OTEL_EXPORTER_OTLP_{name}_ENDPOINT") or os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    chosen = os.environ.get(f"OTEL_{name}_EXPORTER", "").strip().lower() or ("otlp" if endpoint else "none")
    if chosen not in EXPORTERS:
        raise InputError(f"OTEL_{name}_EXPORTER is one of {', '.join(EXPORTERS)}")
    protocol = os.environ.get(f"OTEL_EXPORTER_OTLP_{name}_PROTOCOL") or os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL") or "grpc"
    if chosen == "otlp" and protocol != "grpc":
        raise InputError("OTEL_EXPORTER_OTLP_PROTOCOL: grpc is what is spoken; send it to the collector's port 4317")
    return chosen


@contextmanager
def telemetry() -> Iterator[bool]:
    """Set the SDK up while this lasts, if the environment asks for it, and send what is left at the end; yields whether it does."""
    traces, counts = exporter_of("traces"), exporter_of("metrics")
    if traces == counts == "none":
        yield False
        return
    from opentelemetry import metrics, trace
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, MetricExporter, PeriodicExportingMetricReader
    from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter

    named = os.environ.get("OTEL_SERVICE_NAME") or "scenewise"
    resource = Resource.create({SERVICE_NAME: named, SERVICE_VERSION: importlib.metadata.version("scenewise")})
    providers: list[TracerProvider | MeterProvider] = []
    if traces != "none":
        spans: SpanExporter = ConsoleSpanExporter()
        if traces == "otlp":
            from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

            spans = OTLPSpanExporter()
        provider = TracerProvider(resource=resource)
        provider.add_span_processor(BatchSpanProcessor(spans))
        trace.set_tracer_provider(provider)
        providers.append(provider)
    if counts != "none":
        values: MetricExporter = ConsoleMetricExporter()
        if counts == "otlp":
            from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter

            values = OTLPMetricExporter()
        meters = MeterProvider([PeriodicExportingMetricReader(values)], resource=resource)
        metrics.set_meter_provider(meters)
        providers.append(meters)
    try:
        yield True
    finally:
        for one in providers:
            one.shutdown()
