"""The schema of a configuration: what an editor is told of its keys."""

from __future__ import annotations

import json

from rlcs.config import RunConfig, config_schema


def test_the_schema_describes_keys_for_editors() -> None:
    schema = json.loads(json.dumps(config_schema(RunConfig)))
    assert schema["additionalProperties"] is False
    group_size = schema["$defs"]["RolloutSection"]["properties"]["group_size"]
    assert group_size["description"] == "Completions of one problem, G."


def test_the_schema_types_the_settings_of_verifiers_and_curricula() -> None:
    defined = json.loads(json.dumps(config_schema(RunConfig)))["$defs"]
    tolerance = defined["ChartsSettings"]["properties"]["tolerance"]
    assert (tolerance["type"], tolerance["minimum"], tolerance["exclusiveMaximum"]) == (
        "number",
        0,
        1,
    )
    discount = defined["RlcsCurriculumSection"]["properties"]["discount"]
    assert (discount["minimum"], discount["maximum"]) == (0, 1)
    for name in ("ChartsSettings", "GuiSettings", "JudgeSettings", "RlcsCurriculumSection"):
        undescribed = [
            key
            for key, field in defined[name]["properties"].items()
            if key != "kind" and not field.get("description")
        ]
        assert undescribed == [], name


def test_the_schema_describes_extraction() -> None:
    schema = json.dumps(config_schema(RunConfig))
    assert "what follows the last of the markers" in schema
