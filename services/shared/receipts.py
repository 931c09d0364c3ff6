"""Receipts: what was accepted under an idempotency key, kept until the order itself tells."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from services.shared.console import NEW, Console, Put
from services.shared.events import rfc3339
from services.shared.ledger import Key
from services.shared.membership import org_key

LIFETIME: Final = timedelta(days=35)
"""Longer than any retry. Later the order itself is compared."""


@dataclass(frozen=True, slots=True)
class Receipt:
    key: Key
    digest: str
    accepted_at: datetime
    body: Mapping[str, Any]


class Receipts:
    def __init__(self, console: Console) -> None:
        self._console = console

    def find(self, key: Key) -> Receipt | None:
        item = self._console.get(org_key(key.tenant_id), receipt_sk(key.id))
        if item is None:
            return None
        return Receipt(key, item["digest"], datetime.fromisoformat(item["acceptedAt"]), item["body"])

    def keep(self, receipt: Receipt) -> Receipt:
        """Keep a receipt; returns the one that was there before, if there was one."""
        item = {
            "pk": org_key(receipt.key.tenant_id),
            "sk": receipt_sk(receipt.key.id),
            "digest": receipt.digest,
            "acceptedAt": rfc3339(receipt.accepted_at),
            "body": dict(receipt.body),
            "expiresAt": int((receipt.accepted_at + LIFETIME).timestamp()),
        }
        if self._console.write(Put(item, NEW)):
            return receipt
        return self.find(receipt.key) or receipt


def receipt_sk(order_id: str) -> str:
    return f"receipt#{order_id}"
