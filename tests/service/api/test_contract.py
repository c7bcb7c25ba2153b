"""Every route keeps to what OpenAPI says of it, whether the request does or does not: made by schemathesis from the description itself."""

from __future__ import annotations

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance
from serving import listening

from scenewise import Agent
from scenewise.service.api.access import RULES
from scenewise.service.api.app import create_app

EXAMPLES = 10  # of each route and mode
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("mode", list(GenerationMode))
def test_every_route_keeps_to_its_description(own_agent: Agent, mode: GenerationMode) -> None:
    asked, failures = set[tuple[str, str]](), list[str]()
    with listening(create_app(own_agent)) as address, requests.Session() as session:
        schema = schemathesis.openapi.from_url(f"{address}/openapi.json")

        for result in schema.get_all_operations():
            operation = result.ok()
            asked.add((operation.method.upper(), operation.path))

            @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
            @given(case=operation.as_strategy(generation_mode=mode))
            def hold(case: Case) -> None:
                case.call_and_validate(session=session, checks=CHECKS, timeout=120)

            try:
                hold()
            except FailureGroup as broken:
                failures += [f"{operation.method.upper()} {operation.path}: {one}" for one in broken.exceptions]
            except Unsatisfiable:  # there is no wrong request to a route without parameters
                assert (mode, operation.method) == (GenerationMode.NEGATIVE, "get")
    assert not failures, "\n".join(failures)
    of_the_page = {("GET", "/"), ("GET", "/web/{name}"), ("GET", "/openapi.json")}
    assert asked == {(rule.method, rule.path.replace(":path", "")) for rule in RULES} - of_the_page
