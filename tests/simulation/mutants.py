"""The promises to break, one at a time."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutation:
    """One piece of the text of one module, and what takes its place."""

    name: str
    module: str
    old: str
    new: str


_ORDER = "services.order.service"
_AUDIT = "services.order.audit"
_PAYMENT = "services.payment.service"
_REFUNDS = "services.payment.refunds"
_WEBHOOK = "services.payment.stripe_webhook"
_ORDER_DOMAIN = "services.order.domain"
_PAYMENT_DOMAIN = "services.payment.domain"
_BUS = "services.shared.adapters.eventbridge"
_STORE = "services.shared.adapters.dynamodb_store"
_PACKING = "services.shared.transaction_planner"
_LEDGER = "services.shared.ledger"
_INBOX = "services.shared.adapters.sqs_batch"
_DELAYED = "services.shared.adapters.sqs_delayed"
_BACKLOG = "services.shared.adapters.sqs_backlog"
_OUTBOX = "services.shared.outbox"
_TRANSITIONS = "services.shared.transitions"
_COMMIT = "services.shared.group_commit"

MUTATIONS = (
    # --- messages that a function takes from its queue itself -----------------------------------------
    Mutation(
        "delete a taken message although it failed",
        _INBOX,
        "self._backlog.delete([message for message in taken if message.id not in retry])",
        "self._backlog.delete(taken)",
    ),
    Mutation(
        "leave what was taken in the queue",
        _BACKLOG,
        "for _ in self._run(self._delete, list(in_batches(messages, lambda _: 0))):",
        "for _ in ():",
    ),
    Mutation(
        "hand back a taken message by its id only",
        _INBOX,
        "failed = sorted({message.id for message in given} & retry)",
        "failed = []",
    ),
    Mutation(
        "a conflict goes untold",
        _ORDER,
        "outbox.add(group.message_ids, self._record_repeated(order, repeated))",
        "self._record_repeated(order, repeated)",
    ),
    # --- events out -----------------------------------------------------------------------------------
    Mutation(
        "emit before commit",
        _PAYMENT,
        "        for outcomes in advance_all(self._ledger, orders, decide, self._waits):",
        "        early = [move.after for order in orders.values() if (move := decide(order))]\n"
        "        early_events = [event for order in early for event in domain.payment_events_for(order)]\n"
        "        self._bus.publish(early_events)\n"
        "        for outcomes in advance_all(self._ledger, orders, decide, self._waits):",
    ),
    Mutation(
        "ignore FailedEntryCount",
        _BUS,
        'if "ErrorCode" in result]',
        'if "Error" in result]',
    ),
    Mutation(
        "delete a message although its event is unpublished",
        _OUTBOX,
        "return set().union(*(self._message_ids[event_id] for event_id in failed))",
        "return set()",
    ),
    Mutation(
        "skip re-emission for a duplicate order",
        _ORDER,
        "                repeated = group.events\n",
        "                return set()\n",
    ),
    Mutation(
        "skip re-emission for a duplicate payment",
        _PAYMENT,
        "                        self._record_repeated(order, answer)\n",
        "                        continue\n",
    ),
    Mutation(
        "skip re-emission for a duplicate refund",
        _REFUNDS,
        "                order = outcome.order\n",
        "                order = outcome.order\n"
        "                if not isinstance(outcome, Committed):\n"
        "                    continue\n",
    ),
    Mutation(
        "skip re-emission for a duplicate release",
        _ORDER,
        "case Found(order=order) if order.status is Status.CANCELLED and order.reason == reason:",
        "case Found(order=order) if order.reason == order.status:",
    ),
    Mutation(
        "event ids random",
        "services.shared.events",
        'return str(uuid5(_EVENT_IDS, f"{tenant_id}#{order_id}#{event}#{transition}"))',
        "import uuid\n\n    return str(uuid.uuid4())",
    ),
    Mutation(
        "a refund request that tells another time each time",
        _ORDER_DOMAIN,
        '"customer_request", confirmed.at)',
        '"customer_request", datetime.now(confirmed.at.tzinfo))',
    ),
    # --- conditions -----------------------------------------------------------------------------------
    Mutation(
        "drop the condition that an order is new",
        _STORE,
        '(write.after),\n            "ConditionExpression": "attribute_not_exists(pk)",',
        '(write.after),\n            "ConditionExpression": "pk = pk",',
    ),
    Mutation(
        "drop the condition on an order's status and version",
        _STORE,
        '"#status = :status AND version = :version"',
        '"attribute_exists(pk)"',
    ),
    Mutation(
        "drop the condition on an order's version",
        _STORE,
        '"#status = :status AND version = :version"',
        '"#status = :status"',
    ),
    Mutation(
        "drop the condition that stock reaches",
        _STORE,
        '            conditions.append(f"{name} >= :{name}")',
        "            pass",
    ),
    Mutation(
        "drop the condition on the price",
        _STORE,
        'conditions += ["unitPriceMinor = :price", "currency = :currency"]',
        "pass",
    ),
    # --- deciding -------------------------------------------------------------------------------------
    Mutation(
        "count per line instead of per SKU",
        _LEDGER,
        "    return tuple(totals.items())",
        "    return tuple((item.sku, item.quantity) for item in items)",
    ),
    Mutation(
        "treat a conflict as short stock",
        _PACKING,
        "    for key, stock in levels.items():\n",
        "    for write, verdict in results:\n"
        "        if isinstance(verdict, Busy) and isinstance(write, StockWrite):\n"
        "            known.available[write.key] = 0\n"
        "    for key, stock in levels.items():\n",
    ),
    Mutation(
        "reject although stock has come free",
        _COMMIT,
        "known = Knowledge({key: prices[key] for key in skus & prices.keys()}, scarce=self._scarce & skus)",
        "known = Knowledge({key: prices[key] for key in skus & prices.keys()}, "
        'vars(self).setdefault("_levels", {}))',
    ),
    Mutation(
        "reject from memory what was short the last time",
        _COMMIT,
        "known = Knowledge({key: prices[key] for key in skus & prices.keys()}, scarce=self._scarce & skus)",
        "known = Knowledge({key: prices[key] for key in skus & prices.keys()}, "
        "dict.fromkeys(self._scarce & skus, 0), scarce=self._scarce & skus)",
    ),
    Mutation(
        "admit whatever is asked, one order at a time",
        _PACKING,
        "                    remaining[key] -= quantity",
        "                    remaining[key] -= 0",
    ),
    Mutation(
        "price cache never refreshed",
        _PACKING,
        "        self.prices[key] = current.price if current else None",
        "        self.prices.setdefault(key, current.price if current else None)",
    ),
    Mutation(
        "reject for remembered currencies",
        _PACKING,
        'if entry.after.reason in ("currency_mismatch", "price_changed")',
        'if entry.after.reason == "never"',
    ),
    Mutation(
        "a new SKU stays unknown",
        _COMMIT,
        "        missing = keys - known.keys()",
        "        looked = vars(self).setdefault('_looked', set())\n"
        "        missing = keys - looked\n"
        "        looked.update(missing)",
    ),
    Mutation(
        "forget the tenant",
        _LEDGER,
        'return f"{self.tenant_id}#{self.id}"',
        'return f"default#{self.id}"',
    ),
    # --- stock ----------------------------------------------------------------------------------------
    Mutation(
        "confirm without taking stock",
        _LEDGER,
        "(Status.RESERVED, Status.CONFIRMED): Delta(stock=-1, reserved=-1),",
        "(Status.RESERVED, Status.CONFIRMED): Delta(reserved=-1, available=1),",
    ),
    Mutation(
        "release nothing",
        _LEDGER,
        "(Status.RESERVED, Status.CANCELLED): Delta(reserved=-1, available=1),",
        "(Status.RESERVED, Status.CANCELLED): Delta(),",
    ),
    Mutation(
        "release twice",
        _LEDGER,
        "(Status.CANCELLED, Status.CANCELLED): Delta(),",
        "(Status.CANCELLED, Status.CANCELLED): Delta(reserved=-1, available=1),",
    ),
    Mutation(
        "restock ignored",
        _LEDGER,
        "        unit += _RESTOCK",
        "        unit += Delta()",
    ),
    Mutation(
        "restock again with every refund",
        _LEDGER,
        "_restocked(after) and not _restocked(before)",
        "_restocked(after)",
    ),
    # --- money ----------------------------------------------------------------------------------------
    Mutation(
        "no refund of a late charge",
        _PAYMENT_DOMAIN,
        "    return order.payment is None or order.payment.charge_id != charge.charge_id",
        "    return False",
    ),
    Mutation(
        "no look-up of hidden charges",
        _PAYMENT_DOMAIN,
        "(order.payment.charge_id is None and order.payment.declined is None)",
        "False and order.payment",
    ),
    Mutation(
        "charge again with another key",
        _PAYMENT_DOMAIN,
        "    return ChargeRequest(\n        key=order.key.pk,",
        "    keys = vars(charge_request).setdefault('keys', [])\n"
        "    keys.append(f'{order.key.pk}#{len(keys)}')\n"
        "    return ChargeRequest(\n        key=keys[-1],",
    ),
    Mutation(
        "charge what is no longer reserved",
        _PAYMENT_DOMAIN,
        "return Ask.VOID if may_have_been_charged(order) else None",
        "return Ask.CHARGE if may_have_been_charged(order) else None",
    ),
    Mutation(
        "take a gateway that is silent for one that declines",
        _PAYMENT,
        "            return Unknown(str(error))\n\n    def _is_final",
        '            return Declined(f"no answer: {error}")\n\n    def _is_final',
    ),
    Mutation(
        "refund nothing, but say so",
        _REFUNDS,
        "self._gateway.refund(",
        '(lambda *_: "re-never")(',
    ),
    Mutation(
        "give back more than is left",
        _PAYMENT_DOMAIN,
        "    if known or amount > left or",
        "    if known or",
    ),
    Mutation(
        "a request delivered again is another refund",
        _PAYMENT_DOMAIN,
        "    if known or amount > left or",
        "    if amount > left or",
    ),
    Mutation(
        "refunds of an order share a key",
        _PAYMENT_DOMAIN,
        'key=event_id(*order.key, "Refund", refund.request_id),',
        'key=event_id(*order.key, "Refund", ""),',
    ),
    Mutation(
        "only one refund of an order is told",
        _PAYMENT_DOMAIN,
        "and (request_ids is None or refund.request_id in request_ids)",
        "and refund == payment.refunds[0]",
    ),
    Mutation(
        "refund nothing of a late charge, but say so",
        _PAYMENT,
        "self._gateway.refund(",
        '(lambda *_: "re-never")(',
    ),
    Mutation(
        "take not found for not charged",
        _PAYMENT_DOMAIN,
        "    return now >= order.entered(Status.CANCELLED).at + settles_within",
        "    return True",
    ),
    Mutation(
        "charge before the intent is written",
        _PAYMENT,
        "for part in self._with_intents(orders, groups):",
        "for part in (orders,):",
    ),
    Mutation(
        "each delivery writes an intent of its own",
        _PAYMENT_DOMAIN,
        "(order.payment and order.payment.intent_id):",
        "(order.payment and order.payment.intent_id == intent_id):",
    ),
    Mutation(
        "charge an overdue reservation",
        _PAYMENT_DOMAIN,
        "return None if order.expires_at is not None and order.expires_at <= now else Ask.CHARGE",
        "return Ask.CHARGE",
    ),
    Mutation(
        "a release does not look for a charge",
        _PAYMENT,
        'return event.reason != "payment_failed"',
        "return False",
    ),
    Mutation(
        "take a bank that has not decided for one that declines",
        _PAYMENT,
        "                    return domain.note_pending(order, now, cause)",
        '                    return domain.settle(order, Declined("pending"), now, cause)',
    ),
    Mutation(
        "forget a released order while its bank decides",
        _PAYMENT,
        "            case Pending() if order.status is not Status.RESERVED:",
        "            case Pending() if order.status is Status.REJECTED:",
    ),
    # --- time and messages ----------------------------------------------------------------------------
    Mutation(
        "expiry ignores its time",
        _ORDER,
        "self._release_overdue(by_order(deliveries, PaymentRequested), self._clock())",
        "self._release_overdue(by_order(deliveries, PaymentRequested), self._clock() + timedelta(days=3))",
    ),
    Mutation(
        "expiry never releases",
        _ORDER_DOMAIN,
        "order.expires_at is None or order.expires_at > now:",
        "order.expires_at is not None:",
    ),
    Mutation(
        "the audit only reports",
        _AUDIT,
        "            owed = [order for order in ready if order.key.pk not in failed]",
        "            owed = ready[:0]",
    ),
    Mutation(
        "no audit releases what has no expiry message",
        _AUDIT,
        "        overdue = [found.key for found in result.by_order if found.kind is Kind.OVERDUE]",
        "        overdue: list[Key] = list(result.moving[:0])",
    ),
    Mutation(
        "the audit releases without the message that finishes what it began",
        _AUDIT,
        "                outbox.add([order.key.pk], domain.events_for(order))",
        "                pass",
    ),
    Mutation(
        "forget a cancellation that comes before its order",
        "services.shared.messages",
        "        retry |= group.message_ids",
        "        pass",
    ),
    Mutation(
        "forget a cancellation that comes after the payment",
        _ORDER,
        "                    outbox.add(group.message_ids, self._request_refund(outcome.order, group))",
        "                    continue",
    ),
    Mutation(
        "forget a refund asked for before the payment",
        _REFUNDS,
        "                retry |= groups[key].message_ids\n                del orders[key]",
        "                del orders[key]",
    ),
    Mutation(
        "poison retried instead of sent to the dead-letter queue",
        _INBOX,
        "            return set(self._dlq.send(poison))",
        "            return {message.message_id for message in poison}",
    ),
    Mutation(
        "poison dropped instead of sent to the dead-letter queue",
        _INBOX,
        "            return set(self._dlq.send(poison))",
        "            return set()",
    ),
    Mutation(
        "a failed send to the dead-letter queue goes unnoticed",
        _INBOX,
        'for failure in response.get("Failed", [])]',
        'for failure in response.get("Lost", [])]',
    ),
    Mutation(
        "batch failure reported for nobody",
        _INBOX,
        "for message_id in failed]}",
        "for message_id in failed if not failed]}",
    ),
    Mutation(
        "an unforeseen error drops its message",
        _INBOX,
        "                return {deliveries[0].message_id}",
        "                return set()",
    ),
    Mutation(
        "a hold counted from the placement",
        _ORDER_DOMAIN,
        "expires_at=now + hold,",
        "expires_at=(event.placed_at or event.occurred_at) + hold,",
    ),
    Mutation(
        "expiry by the message's time instead of the order's",
        _ORDER_DOMAIN,
        "order.expires_at is None or order.expires_at > now:",
        "order.expires_at is None:",
    ),
    Mutation(
        "a message that comes before the end of its reservation is dropped",
        _ORDER,
        "        failed = self._later.send(events) if self._later else events.keys()",
        "        failed: set[Key] = set()",
    ),
    Mutation(
        "a message that its queue does not take again is dropped",
        _DELAYED,
        'for failure in response.get("Failed", [])]',
        'for failure in response.get("Lost", [])]',
    ),
    Mutation(
        "a message is delayed for longer than its queue can",
        _DELAYED,
        "math.ceil(min(delay, self._longest).total_seconds())",
        "math.ceil(delay.total_seconds())",
    ),
    Mutation(
        "a bank transfer is held no longer than a card",
        _ORDER_DOMAIN,
        '    return longer.get(event.payment_method or "", usual)',
        "    return usual",
    ),
    Mutation(
        "reads that are not consistent",
        _STORE,
        '{table: {"Keys": now, "ConsistentRead": True}}',
        '{table: {"Keys": now, "ConsistentRead": False}}',
    ),
    Mutation(
        "a refund of a late charge is made but not noted",
        _PAYMENT,
        "return domain.record_late_charge(order, charge, refund_id, now, groups[order.key].first.event_id)",
        "return None and (charge, refund_id)",
    ),
    Mutation(
        "a paid order that is called off is not restocked",
        _ORDER_DOMAIN,
        "        restock=True,",
        "        restock=False,",
    ),
    Mutation(
        "orders that share a SKU through others are not joined",
        _PACKING,
        "            parent[root(key)] = root(keys[0])",
        "            root(key)",
    ),
    Mutation(
        "a busy item holds up its whole transaction",
        _PACKING,
        "    return Busyness(orders, skus)",
        "    return Busyness({entry.key for entry in entries} if orders else orders, skus)",
    ),
    Mutation(
        "a failed read of prices holds up the whole batch",
        _COMMIT,
        "        ready = [one for one in placements if unread.isdisjoint(one.stock_keys())]",
        "        ready = [] if unread else placements",
    ),
    Mutation(
        "what is busy is not retried",
        _TRANSITIONS,
        "        pending = contended",
        "        yield {key: outcomes[key] for key in contended}\n        return",
    ),
    Mutation(
        "what failed comes again only after the queue's own time-out",
        _INBOX,
        "        if self._redelivery is None:",
        "        if self._redelivery is not None:",
    ),
    Mutation(
        "what is done waits for what is busy",
        _ORDER,
        "        for outcomes in until_settled(reserve, placements.keys(), self._waits):",
        "        parts = list(until_settled(reserve, placements.keys(), self._waits))\n"
        "        for outcomes in [{key: it for part in parts for key, it in part.items()}]:",
    ),
    Mutation(
        "an item that may have moved already is called broken",
        _PACKING,
        "_skus(entries, found.keys() | unknown)",
        "_skus(entries, found)",
    ),
    # --- counts ---------------------------------------------------------------------------------------
    Mutation(
        "an order whose answer was lost counts as a duplicate",
        _COMMIT,
        "        return Committed(written) if written else Found(order)",
        "        return Found(order)",
    ),
    Mutation(
        "counts are written when the invocation ends",
        _OUTBOX,
        "        telemetry.flush()\n",
        "",
    ),
    Mutation(
        "an expiry counts as a cancellation",
        _ORDER,
        '"reservation_expired": OrderOutcome.EXPIRED}',
        '"reservation_expired": OrderOutcome.CANCELLED}',
    ),
    Mutation(
        "a batch that has to wait is dropped",
        _INBOX,
        "            return {delivery.message_id for delivery in deliveries}",
        "            return set()",
    ),
    # --- asynchronous answers -------------------------------------------------------------------------
    Mutation(
        "an answer of the gateway wakes nobody",
        _PAYMENT,
        "    return isinstance(event, PaymentRequested | PaymentAnswered)\n",
        "    return isinstance(event, PaymentRequested)\n",
    ),
    Mutation(
        "believe whoever answers in the gateway's name",
        _WEBHOOK,
        "            hmac.compare_digest(_signature(secret, stamp, body), signature.encode())\n",
        "            bool(signature)\n",
    ),
    Mutation(
        "an answer that settled its order is not announced again",
        _PAYMENT_DOMAIN,
        " or event.event_id in caused for event in events)",
        " for event in events)",
    ),
    Mutation(
        "accept an answer that the bus did not take",
        _WEBHOOK,
        "                return HTTPStatus.SERVICE_UNAVAILABLE\n        except",
        "                return HTTPStatus.OK\n        except",
    ),
)
