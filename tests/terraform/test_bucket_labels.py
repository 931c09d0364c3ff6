"""Bucket labels in infra/ are spelled as the services write them to CloudWatch."""

import re

from services.shared.histogram_buckets import NAMES
from tests.terraform.sources import INFRA

SOURCES = [
    it for kind in ("*.tf", "*.hcl", "*.md") for it in INFRA.rglob(kind) if ".terraform" not in it.parts
]


def test_the_settlement_objective_sums_every_bucket_up_to_5_seconds() -> None:
    text = (INFRA / "modules" / "environment" / "main.tf").read_text(encoding="utf-8")

    (labels,) = re.findall(r"for le in \[(.*?)\]", text)

    assert tuple(re.findall(r'"(.+?)"', labels)) == NAMES[: NAMES.index("5") + 1]


def test_every_single_bucket_label_is_one_that_the_services_write() -> None:
    labels = [
        label for it in SOURCES for label in re.findall(r'\ble *= *"(.+?)"', it.read_text(encoding="utf-8"))
    ]

    assert labels
    assert set(labels) <= set(NAMES)
