"""Feature flags: what the page reads, and that none outlives its end."""

import json
from datetime import UTC, date, datetime

import pytest
from pydantic import ValidationError

from scripts.common.errors import ToolError
from scripts.environment.feature_flags import FLAGS, FeatureFlag, flags_json

FLAG = FeatureFlag(name="new-cohorts", description="Cohorts by product.", share=25, ends=date(2027, 3, 31))


def test_the_page_reads_share_and_end_of_each_flag() -> None:
    written = json.loads(flags_json([FLAG], date(2027, 3, 31)))

    assert written == {"new-cohorts": {"share": 25, "ends": "2027-03-31"}}


def test_a_flag_that_has_ended_is_refused_by_name() -> None:
    with pytest.raises(ToolError, match="new-cohorts have ended; remove them"):
        flags_json([FLAG], date(2027, 4, 1))


@pytest.mark.parametrize("wrong", [{"name": "New"}, {"share": 101}, {"share": -1}, {"description": ""}])
def test_wrong_flags_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        FeatureFlag.model_validate(FLAG.model_dump() | wrong)


def test_no_flag_of_the_console_has_ended() -> None:
    flags_json(FLAGS, datetime.now(UTC).date())
