"""Spans, figures, and what silence costs."""

import subprocess
import sys
import threading
from http import server
from typing import ClassVar, TypeAlias

import pytest
from opentelemetry.sdk import trace as sdk
from opentelemetry.sdk.trace.export import in_memory_span_exporter

from fleet.adapters import logs, otel, telemetry
from fleet.ports import telemetry as port

Spans: TypeAlias = in_memory_span_exporter.InMemorySpanExporter


@pytest.fixture
def spans():
    return in_memory_span_exporter.InMemorySpanExporter()


@pytest.fixture
def recorder(spans: Spans):
    made = otel.Recorder("hub", spans=spans)
    yield made
    made.close()


def finished(recorder: otel.Recorder, spans: Spans) -> dict[str, sdk.ReadableSpan]:
    """By name; closing sends what is still on its way."""
    recorder.close()
    return {each.name: each for each in spans.get_finished_spans()}


def test_one_trace_goes_from_process_to_process(spans: Spans, recorder: otel.Recorder):
    other_spans = in_memory_span_exporter.InMemorySpanExporter()
    agent = otel.Recorder("agent", spans=other_spans)
    with recorder.span("release", {"environment": "prod"}) as sent:
        pass
    with agent.span("apply", {"cluster": "prod-1"}, parent=sent) as carried:
        pass
    hub, applied = finished(recorder, spans), finished(agent, other_spans)
    assert hub["release"].attributes == {"environment": "prod"}
    assert applied["apply"].context.trace_id == hub["release"].context.trace_id
    assert applied["apply"].parent.span_id == hub["release"].context.span_id
    assert hub["release"].parent is None
    assert hub["release"].resource.attributes["service.name"] == "hub"
    version, trace, span, flags = carried.split("-")
    assert (version, int(flags, 16) & 1) == ("00", 1)  # sampled
    assert int(trace, 16) == hub["release"].context.trace_id
    assert int(span, 16) == applied["apply"].context.span_id


def test_a_span_in_another_is_its_child(spans: Spans, recorder: otel.Recorder):
    with recorder.span("release", {}), recorder.span("render", {}):
        pass
    found = finished(recorder, spans)
    assert found["render"].parent.span_id == found["release"].context.span_id


def test_a_named_parent_counts_more_than_the_span_around(spans: Spans, recorder: otel.Recorder):
    with recorder.span("first", {}) as first:
        pass
    with recorder.span("around", {}), recorder.span("inner", {}, parent=first):
        pass
    found = finished(recorder, spans)
    assert found["inner"].parent.span_id == found["first"].context.span_id


@pytest.mark.parametrize("parent", ["nonsense", "00-0-0-00", "00-" + "0" * 32 + "-" + "0" * 16])
def test_a_malformed_parent_begins_a_new_trace(spans: Spans, recorder: otel.Recorder, parent: str):
    with recorder.span("apply", {}, parent=parent) as given:
        assert given.startswith("00-")
    assert finished(recorder, spans)["apply"].parent is None


@pytest.mark.threat(76)
def test_an_error_is_marked_but_its_words_do_not_leave(spans: Spans, recorder: otel.Recorder):
    with pytest.raises(ValueError, match="canary"), recorder.span("apply", {}):
        raise ValueError("canary")
    span = finished(recorder, spans)["apply"]
    assert (span.status.is_ok, span.status.description) == (False, "ValueError")
    assert "canary" not in span.to_json()


def test_the_trace_is_known_to_the_log_within_the_span_only(recorder: otel.Recorder):
    with recorder.span("release", {}) as given:
        assert logs.trace.get() == given.split("-")[1]
    assert logs.trace.get() == ""


def test_figures_are_exposed_as_prometheus_reads_them(recorder: otel.Recorder):
    recorder.count("fleet_decisions", {"environment": "dev", "verdict": "accepted"})
    recorder.count("fleet_decisions", {"environment": "dev", "verdict": "accepted"}, 2)
    recorder.gauge("fleet_clusters", {"environment": "dev"}, 4)
    recorder.gauge("fleet_clusters", {"environment": "dev"}, 3)
    lines = recorder.exposition().decode().splitlines()
    assert 'fleet_decisions_total{environment="dev",verdict="accepted"} 3.0' in lines
    assert "# TYPE fleet_decisions_total counter" in lines
    assert 'fleet_clusters{environment="dev"} 3.0' in lines


def test_odd_names_in_figures_are_escaped(recorder: otel.Recorder):
    recorder.gauge("fleet_clusters", {"cluster": 'x"\n# evil{} 1'}, 1)
    assert r'cluster="x\"\n# evil{} 1"' in recorder.exposition().decode()
    assert not [line for line in recorder.exposition().splitlines() if line.startswith(b"# evil")]


def test_thousands_of_clusters_are_told_apart(recorder: otel.Recorder):
    for number in range(3000):
        recorder.gauge("fleet_seen", {"cluster": f"c{number}"}, 1)
    assert recorder.exposition().count(b"\nfleet_seen{") == 3000


def test_two_recorders_do_not_mix(recorder: otel.Recorder):
    other = otel.Recorder("other")
    recorder.count("fleet_fetches", {})
    assert b"fleet_fetches" not in other.exposition()
    other.close()


def test_without_traces_figures_are_still_there():
    made = telemetry.otel("hub", telemetry.Export())
    with made.span("release", {"commit": "c"}) as given:
        made.count("fleet_fetches", {})
    assert given == ""
    assert b"fleet_fetches_total 1.0" in made.exposition()
    made.close()


class Collector(server.BaseHTTPRequestHandler):
    """Takes whatever it is sent, and remembers where to."""

    paths: ClassVar[list[str]] = []

    def do_POST(self) -> None:  # the name that http.server asks for
        self.rfile.read(int(self.headers["Content-Length"]))
        self.paths.append(self.path)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


def test_a_configured_exporter_is_sent_the_traces():
    with server.ThreadingHTTPServer(("127.0.0.1", 0), Collector) as collector:
        thread = threading.Thread(target=collector.serve_forever)
        thread.start()
        there = f"http://127.0.0.1:{collector.server_port}/v1/traces"
        made = telemetry.otel("hub", telemetry.Export(traces=True, traces_endpoint=there))
        with made.span("release", {}) as given:
            assert given.startswith("00-")
        made.close()
        collector.shutdown()
        thread.join()
    assert Collector.paths == ["/v1/traces"]


def test_a_token_of_the_exporter_is_not_shown():
    assert "canary" not in repr(telemetry.Export(headers={"authorization": "canary"}))


def test_silence_says_nothing():
    silent: port.Telemetry = telemetry.Silent()
    silent.count("fleet_fetches", {})
    silent.gauge("fleet_clusters", {}, 1)
    with silent.span("outer", {}), silent.span("inner", {}, parent="x") as given:
        assert given == ""
    assert silent.exposition() == b""


def test_silence_imports_nothing():
    script = (
        "import sys; from fleet.adapters import logs, telemetry\n"
        "with telemetry.Silent().span('x', {}): pass\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('opentelemetry', 'prometheus_client')])"
    )
    done = subprocess.run(  # noqa: S603 - our own interpreter and words
        [sys.executable, "-c", script], capture_output=True, check=True, text=True
    )
    assert done.stdout == "[]\n"
