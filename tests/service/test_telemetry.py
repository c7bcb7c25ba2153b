"""Traces and metrics go where the environment says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scenewise import InputError
from scenewise.service.telemetry import exporter_of, telemetry


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that says nothing of OpenTelemetry."""
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)


def test_it_is_off_by_default() -> None:
    assert exporter_of("traces") == exporter_of("metrics") == "none"
    with telemetry() as on:
        assert on is False


def test_the_environment_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317")
    assert exporter_of("traces") == exporter_of("metrics") == "otlp"
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "none")
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "console")
    assert (exporter_of("traces"), exporter_of("metrics")) == ("console", "none")
    monkeypatch.setenv("OTEL_SDK_DISABLED", "TRUE")
    assert exporter_of("traces") == "none"


def test_what_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "jaeger")
    with pytest.raises(InputError, match="OTEL_TRACES_EXPORTER"):
        exporter_of("traces")
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
    with pytest.raises(InputError, match="4317"):
        exporter_of("traces")


def test_what_is_left_is_sent_at_the_end(tmp_path: Path) -> None:
    program = """
from scenewise.service.telemetry import telemetry
from scenewise.agent import tracing
with telemetry() as on:
    assert on
    with tracing.tool("retrieve"):
        pass
"""
    environment = os.environ | {"OTEL_TRACES_EXPORTER": "console", "OTEL_SERVICE_NAME": "shop"}
    ran = subprocess.run([sys.executable, "-c", program], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert '"execute_tool retrieve"' in ran.stdout
    assert '"service.name": "shop"' in ran.stdout
