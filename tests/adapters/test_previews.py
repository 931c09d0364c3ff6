"""Previews are found by their states in the bucket, and the forgotten ones removed."""

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from scripts.common.errors import ToolError
from scripts.deploy.previews import Preview, existing, remove
from tests.conftest import RunningEmulator


@pytest.mark.emulator
def test_a_preview_exists_while_its_state_holds_resources(emulator: RunningEmulator) -> None:
    s3, bucket = emulator.clients.client("s3"), f"state-{uuid4().hex[:12]}"
    s3.create_bucket(Bucket=bucket)
    states = {"preview-7": [{"type": "aws_sqs_queue"}], "preview-8": [], "dev": [{"type": "aws_sqs_queue"}]}
    for name, resources in states.items():
        body = json.dumps({"resources": resources}).encode()
        s3.put_object(Bucket=bucket, Key=f"{name}/terraform.tfstate", Body=body)
    s3.put_object(Bucket=bucket, Key="preview-9/terraform.tfstate.tflock", Body=b"{}")

    (preview,) = existing(s3, bucket)

    assert preview.name == "preview-7"
    assert preview.days_at(datetime.now(UTC)) < 1
    assert preview.days_at(datetime.now(UTC) + timedelta(days=3)) >= 3


def test_one_that_cannot_be_removed_does_not_keep_the_others() -> None:
    previews = [Preview(f"preview-{number}", datetime(2026, 11, 1, tzinfo=UTC)) for number in (1, 2, 3)]
    asked: list[str] = []

    def destroy(name: str) -> int:
        asked.append(name)
        return int(name == "preview-2")

    with pytest.raises(ToolError, match=r"^preview-2 could not be removed"):
        remove(previews, destroy)
    assert asked == ["preview-1", "preview-2", "preview-3"]
    assert remove(previews[:1], destroy) == ["preview-1"]
