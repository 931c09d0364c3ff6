"""Every log line's stable code and its text, declared once. Tools and tests match codes, never texts."""

from enum import StrEnum
from typing import Self


class LogEvent(StrEnum):
    """A code, `subject.outcome`, and the sentence that stands beside it in the log."""

    text: str

    def __new__(cls, code: str, text: str) -> Self:
        event = str.__new__(cls, code)
        event._value_ = code
        event.text = text
        return event

    # batches of messages
    BATCH_RETRIED = "batch.retried", "messages returned to the queue"
    BATCH_DEFERRED = "batch.deferred", "a dependency is unavailable, the batch is retried"
    BATCH_FAILED = "batch.failed", "a batch failed unexpectedly"
    MESSAGE_POISON = "message.poison", "message cannot be read, sent to the dead-letter queue"
    REDELIVERY_FAILED = (
        "redelivery.failed",
        "the delay of failed messages could not be set, they return after the queue's time-out",
    )
    BACKLOG_FAILED = "backlog.failed", "no more messages could be received, the batch is handled without them"
    DELETION_FAILED = "deletion.failed", "handled messages could not be deleted, they return as duplicates"
    DLQ_FAILED = "dlq.failed", "messages could not be sent to the dead-letter queue"
    PUBLISH_FAILED = "publish.failed", "events were not published"

    # orders
    ORDER_ACCEPTED = "order.accepted", "order accepted over HTTP"
    ORDER_RESERVED = "order.reserved", "order reserved"
    ORDER_REJECTED = "order.rejected", "order rejected"
    ORDER_DUPLICATE = "order.duplicate", "order placed again, no second effect"
    ORDER_CONFLICT = "order.conflict", "a different order under an existing id, ignored"
    ORDER_DEFERRED = "order.deferred", "order not decided yet, retrying"
    ORDER_NOT_FOUND = "order.not_found", "order not found yet, retrying"
    ORDER_UNREAD = "order.unread", "order could not be read, retrying"
    ORDER_CANCELLED = "order.cancelled", "order cancelled"
    CANCELLATION_LATE = "cancellation.late", "paid order is no longer cancellable, request a refund instead"
    RELEASE_DEFERRED = "release.deferred", "order not released yet, retrying"
    RELEASE_SKIPPED = "release.skipped", "order is not reserved, nothing to release"
    EXPIRY_NOT_POSTPONED = (
        "expiry.not_postponed",
        "reservation is still open, and its message could not be sent again",
    )
    EXPIRY_SKIPPED = "expiry.skipped", "order is not reserved, nothing expires"

    # the audit
    AUDIT_FOUND = "audit.found", "an order or SKU is not as it should be"
    AUDIT_FINISHED = "audit.finished", "audit finished"

    # payments
    ORDER_CONFIRMED = "order.confirmed", "order confirmed"
    PAYMENT_DECLINED = "payment.declined", "payment declined"
    PAYMENT_DUPLICATE = "payment.duplicate", "payment requested again, no second effect"
    PAYMENT_DEFERRED = "payment.deferred", "payment not settled yet, retrying"
    PAYMENT_PENDING = "payment.pending", "the bank has not decided, the answer comes later"
    ANSWER_RECEIVED = "answer.received", "the gateway has decided about a payment, it will be asked"
    ANSWER_REFUSED = "answer.refused", "a request to the webhook of the gateway is not signed by it, refused"
    ANSWER_IGNORED = "answer.ignored", "the gateway reports something that is no answer to a payment of ours"
    PAYMENT_OVERDUE = "payment.overdue", "the reservation is past its time, nothing is charged"
    PAYMENT_UNRESOLVED = "payment.unresolved", "order is released, but may still be charged, retrying"
    GATEWAY_UNAVAILABLE = "gateway.unavailable", "the payment gateway does not answer, retrying"
    LATE_CHARGE_REFUNDED = "late_charge.refunded", "charged too late, refunded"
    LATE_CHARGE_DEFERRED = "late_charge.deferred", "a late charge is not refunded yet, retrying"
    REFUND_REQUESTED = "refund.requested", "order is paid already, refund requested"
    REFUND_PROCESSED = "refund.processed", "order refunded, in whole or in part"
    REFUND_SKIPPED = "refund.skipped", "order is not paid, nothing to refund"
    REFUND_REFUSED = "refund.refused", "less is left of the payment than was requested, nothing is refunded"
    REFUND_DEFERRED = "refund.deferred", "refund not settled yet, retrying"

    # metrics
    METRICS_COLLECTED = "metrics.collected", "metrics collected"
    COLLECTION_OUTRUN = "collection.outrun", "another collector wrote first, this collection is dropped"
    COLLECTION_INCOMPLETE = "collection.incomplete", "CloudWatch returned partial data"
    HISTOGRAM_INCONSISTENT = (
        "histogram.inconsistent",
        "the buckets of a histogram differ from its count",
    )
    SCRAPE_FAILED = "scrape.failed", "a scrape could not be answered"

    # analytics
    EVENTS_PROJECTED = "events.projected", "events projected"
    SUBSCRIPTION_REFUSED = "subscription.refused", "no exchange rate for the subscription's effective date"
    DATABASE_COMMAND = "database.command", "database command completed"

    # notifications
    NOTIFICATION_SENT = "notification.sent", "notification sent"
    NOTIFICATION_FAILED = "notification.failed", "a receiver did not accept a notification, retrying"

    # webhooks
    WEBHOOK_ENDPOINTS_UNREAD = "webhook.endpoints_unread", "webhooks could not be read, retrying"
    WEBHOOK_FAILED = "webhook.failed", "message not delivered after the last attempt"
    WEBHOOK_DISABLED = "webhook.disabled", "webhook disabled, no further messages are sent"

    # sign-in
    SECOND_FACTOR_UNKNOWN = (
        "second_factor.unknown",
        "the user pool did not say whether an administrator has a second factor, refused for now",
    )
    TOKEN_ISSUED = "token.issued", "a token is issued"
    SIGN_IN_REFUSED = "sign_in.refused", "a sign-in or a renewal is refused"

    # HTTP
    REQUEST_SERVED = "request.served", "request served"
    REQUEST_UNAVAILABLE = "request.unavailable", "a dependency is unavailable, answered 503"
    REQUEST_FAILED = "request.failed", "a request failed unexpectedly, answered 500"
