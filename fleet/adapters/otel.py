"""Telemetry by opentelemetry-sdk; imported only through fleet.adapters.telemetry, when someone listens."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager

import prometheus_client
from opentelemetry import metrics as figures_api
from opentelemetry import trace as api
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk import metrics, resources
from opentelemetry.sdk import trace as sdk
from opentelemetry.sdk.metrics import export as metric_export
from opentelemetry.sdk.trace import export as span_export
from opentelemetry.trace.propagation import tracecontext

from fleet.adapters import logs

_MOST_SERIES = 20_000  # of one name: a few for each of some thousand clusters
_PROPAGATOR = tracecontext.TraceContextTextMapPropagator()


class Recorder:
    """Implements ports.telemetry.Telemetry. Without `spans` no trace is made, and `span` gives ""."""

    def __init__(
        self,
        service: str,
        *,
        resource: Mapping[str, str] | None = None,
        spans: span_export.SpanExporter | None = None,
        figures: metric_export.MetricExporter | None = None,
    ) -> None:
        described = resources.Resource.create({**(resource or {}), "service.name": service})
        self._registry = prometheus_client.CollectorRegistry()
        self._tracing = _tracing(described, spans) if spans is not None else None
        self._tracer = self._tracing.get_tracer("fleet") if self._tracing else None
        self._metering = _metering(described, self._registry, figures)
        self._closing = ExitStack()
        self._closing.callback(self._metering.shutdown)
        if self._tracing is not None:
            self._closing.callback(self._tracing.shutdown)
        self._meter = self._metering.get_meter("fleet")
        self._counters: dict[str, figures_api.Counter] = {}
        self._gauges: dict[str, figures_api._Gauge] = {}

    def span(
        self, name: str, attributes: Mapping[str, str], parent: str = ""
    ) -> AbstractContextManager[str]:
        return _span(self._tracer, name, attributes, parent)

    def count(self, name: str, attributes: Mapping[str, str], amount: int = 1) -> None:
        if name not in self._counters:
            self._counters[name] = self._meter.create_counter(name)
        self._counters[name].add(amount, attributes)

    def gauge(self, name: str, attributes: Mapping[str, str], value: float) -> None:
        if name not in self._gauges:
            self._gauges[name] = self._meter.create_gauge(name)
        self._gauges[name].set(value, attributes)

    def exposition(self) -> bytes:
        return prometheus_client.generate_latest(self._registry)

    def close(self) -> None:
        self._closing.close()


def span_exporter(endpoint: str, headers: Mapping[str, str]) -> span_export.SpanExporter:
    return OTLPSpanExporter(endpoint=endpoint or None, headers=dict(headers) or None)


def metric_exporter(endpoint: str, headers: Mapping[str, str]) -> metric_export.MetricExporter:
    return OTLPMetricExporter(endpoint=endpoint or None, headers=dict(headers) or None)


def _tracing(described: resources.Resource, spans: span_export.SpanExporter) -> sdk.TracerProvider:
    provider = sdk.TracerProvider(resource=described, shutdown_on_exit=False)
    provider.add_span_processor(span_export.BatchSpanProcessor(spans))
    return provider


def _metering(
    described: resources.Resource,
    registry: prometheus_client.CollectorRegistry,
    figures: metric_export.MetricExporter | None,
) -> metrics.MeterProvider:
    bound: metric_export.CardinalityLimits = {
        metrics.Counter: _MOST_SERIES,
        metrics._Gauge: _MOST_SERIES,  # noqa: SLF001 - the SDK has no other name for it
    }
    readers: list[metric_export.MetricReader] = [
        PrometheusMetricReader(
            scope_info_enabled=False, registry=registry, cardinality_limits=bound
        )
    ]
    if figures is not None:
        readers.append(
            metric_export.PeriodicExportingMetricReader(figures, cardinality_limits=bound)
        )
    return metrics.MeterProvider(
        metric_readers=readers, resource=described, shutdown_on_exit=False
    )


@contextmanager
def _span(
    tracer: api.Tracer | None, name: str, attributes: Mapping[str, str], parent: str
) -> Iterator[str]:
    if tracer is None:
        yield ""
        return
    above = _PROPAGATOR.extract({"traceparent": parent}) if parent else None
    with tracer.start_as_current_span(
        name,
        context=above,
        attributes=attributes,
        record_exception=False,  # a message may quote what must not leave (threat 76)
        set_status_on_exception=False,
    ) as span:
        token = logs.trace.set(f"{span.get_span_context().trace_id:032x}")
        try:
            yield _traceparent(span)
        except Exception as error:
            span.set_status(api.StatusCode.ERROR, type(error).__name__)
            raise
        finally:
            logs.trace.reset(token)


def _traceparent(span: api.Span) -> str:
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier, api.set_span_in_context(span))
    return carrier.get("traceparent", "")
