"""Previews of pull requests: which exist, and which have been forgotten."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scripts.common.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from mypy_boto3_s3 import S3Client

PREFIX: Final = "preview-"
_STATE: Final = "/terraform.tfstate"


@dataclass(frozen=True, slots=True)
class Preview:
    name: str
    deployed_at: datetime
    """When its state was last written."""

    def days_at(self, now: datetime) -> float:
        return (now - self.deployed_at).total_seconds() / 86_400


def existing(s3: S3Client, bucket: str) -> list[Preview]:
    """List the previews whose state holds resources; a destroyed one leaves an empty state."""
    return sorted(_existing(s3, bucket), key=lambda it: it.deployed_at)


def _existing(s3: S3Client, bucket: str) -> Iterator[Preview]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=PREFIX):
        for item in page.get("Contents", ()):
            if item["Key"].endswith(_STATE):
                state = json.loads(s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read())
                if state.get("resources"):
                    yield Preview(item["Key"].removesuffix(_STATE), item["LastModified"])


def remove(expired: Iterable[Preview], destroy: Callable[[str], int]) -> list[str]:
    """Destroy each preview and return their names; one that fails does not keep the others."""
    failed: list[str] = []
    removed: list[str] = []
    for it in expired:
        (failed if destroy(it.name) else removed).append(it.name)
    if failed:
        raise ToolError(
            f"{', '.join(failed)} could not be removed; the output above says why. "
            "Repeat with `pulsequeue destroy --env NAME`."
        )
    return removed
