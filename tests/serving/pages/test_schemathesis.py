"""Thousands of valid and invalid requests, generated from the OpenAPI description."""

import re
from collections import Counter
from collections.abc import Iterator

import pytest
import schemathesis
from schemathesis.engine import events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder

from serving.models.columns import Column
from serving.settings import LimitSettings, ServingSettings, VersionSettings
from tests.helpers.served_models import ServerThread, write_classifier, write_model

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

LEAST_CASES = 3000
CONFIG = {
    "seed": 1,
    "generation": {"deterministic": True, "max-examples": 350, "database": "none"},
    "phases": {"stateful": {"enabled": False}},
    "checks": {
        # A schema cannot exclude lists of unequal lengths and strings that are not a tf.Example.
        "positive_data_acceptance": {"enabled": False},
        # TensorFlow Serving answers 400 to a wrong method.
        "unsupported_method": {"enabled": False},
    },
}
INFINITE = re.compile(r"\bNaN\b|\bInfinity\b")
"""Results of sums that overflow, which JSON Schema cannot describe."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerThread]:
    folder = tmp_path_factory.mktemp("models")
    write_model(folder / "half", 1)
    columns = {"share": Column(0.25, required=True), "word": Column("low", required=False)}
    write_classifier(folder / "classes", 1, columns, names=("share", "word"))
    settings = ServingSettings(
        limits=LimitSettings(examples=8), versions=VersionSettings(labels={"stable": 1})
    )
    with ServerThread({name: folder / name for name in ("half", "classes")}, settings) as server:
        yield server


def failures_in(recorder: ScenarioRecorder) -> Iterator[str]:
    """Yields the failed checks with the requests that cause them."""
    for case_id, checks in recorder.checks.items():
        response = recorder.interactions[case_id].response
        for check in checks:
            is_infinite = (
                check.name == "response_schema_conformance"
                and response is not None
                and INFINITE.search(response.text)
            )
            if check.failure_info is not None and not is_infinite:
                yield f"{check.failure_info.failure}\n{check.failure_info.code_sample}"


def test_server_conforms_to_its_openapi_description(server: ServerThread) -> None:
    config = schemathesis.Config.from_dict(CONFIG)
    schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json", config=config)
    failures, answers = [], Counter[tuple[str, int]]()
    for event in from_schema(schema).execute():
        assert not isinstance(event, events.NonFatalError | events.FatalError), event
        if isinstance(event, events.ScenarioFinished):
            failures += failures_in(event.recorder)
            for case_id, case in event.recorder.cases.items():
                response = event.recorder.interactions[case_id].response
                assert response is not None
                answers[case.value.operation.label, response.status_code] += 1
    assert failures == []
    assert sum(answers.values()) >= LEAST_CASES
    asked = {label for label, status in answers if status == 200}
    assert {operation.ok().label for operation in schema.get_all_operations()} <= asked
