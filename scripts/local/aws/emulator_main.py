"""Starts MiniStack with what it lacks: whole logs, whole batches, a consistent save, patience with Terraform.

MiniStack reads a function's output only as far as it has arrived within 5 ms. On a busy machine the last
lines arrived later: with the next invocation, or not at all. A function has written everything before it
returns, so the pipe is read until it is empty. emulator_queues.py changes how mappings read queues,
repeated_calls.py what Terraform gets when it repeats a call, emulator_sign_in.py how people sign in. A rule
of a security group keeps its prefix lists.
"""

from __future__ import annotations

import fcntl
import runpy
import struct
import termios
import time
from itertools import count, takewhile
from typing import TYPE_CHECKING, Any, Final

from ministack import app  # type: ignore[import-untyped]
from ministack.core import lambda_runtime  # type: ignore[import-untyped]
from ministack.services import cognito, ec2, lambda_svc, sqs  # type: ignore[import-untyped]

from scripts.local.aws.emulator_queues import Receiver
from scripts.local.aws.emulator_sign_in import as_json_says, with_test_users, without_password
from scripts.local.aws.repeated_calls import RepeatedCalls

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LONGEST: Final = 2.0
_FIRST_LINE: Final = 0.05
"""How long to wait for the first line, as the emulator does."""
_QUIET: Final = 0.02
"""How long the pipe must stay empty."""


def wait_for_output(drain: Callable[..., str]) -> Callable[..., str]:
    """Wrap the emulator's reader: read once the worker's pipe has been emptied."""

    def drained(worker: Any, first_line_wait: float = _FIRST_LINE) -> str:  # noqa: ANN401 - MiniStack's type
        deadline = time.monotonic() + _LONGEST
        while _unread(worker) and time.monotonic() < deadline:
            time.sleep(0.001)
        return drain(worker, first_line_wait, _QUIET, _LONGEST)

    return drained


def _unread(worker: Any) -> int:  # noqa: ANN401 - as above
    """Return the number of unread bytes of a worker's output; 0 when it is gone."""
    try:
        unread = fcntl.ioctl(worker._proc.stderr.fileno(), termios.FIONREAD, bytes(4))  # noqa: SLF001
    except (AttributeError, OSError, ValueError):
        return 0
    return int(struct.unpack("i", unread)[0])


def read_whole_batches() -> None:
    """Have event source mappings receive as AWS lets them."""

    def sweep(queue: dict[str, Any]) -> None:
        sqs._expire_retained(queue)  # noqa: SLF001 - the emulator offers no other way in
        sqs._dlq_sweep(queue)  # noqa: SLF001 - as above

    receiver = Receiver(
        sqs._get_q,  # noqa: SLF001 - as above
        sweep,
        sqs._collect_msgs,  # noqa: SLF001 - as above
        sqs._queues_lock,  # noqa: SLF001 - as above
        batch_window,
    )
    sqs._receive_messages_for_esm = receiver.receive  # noqa: SLF001 - as above
    for action in ("ChangeMessageVisibility", "ChangeMessageVisibilityBatch"):
        sqs._HANDLERS[action] = _then(sqs._HANDLERS[action], receiver.visibility_changed)  # noqa: SLF001 - as above


def batch_window(queue_url: str) -> float:
    """Return the batch window of the mapping that reads a queue, in seconds."""
    queue = queue_url.rpartition("/")[2]
    windows = (
        mapping.get("MaximumBatchingWindowInSeconds", 0)
        for mapping in list(lambda_svc._esms._data.values())  # noqa: SLF001 - the emulator offers no other way in
        if mapping.get("EventSourceArn", "").rpartition(":")[2] == queue
    )
    return float(next(windows, 0))


def queues_first(states: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    """Save queues before tables: functions still run, so a message may be handled twice, but none is lost."""

    def ordered() -> dict[str, Any]:
        found = states()
        return dict(sorted(found.items(), key=lambda pair: pair[0] != "sqs"))

    return ordered


def sign_in_by_one_click() -> None:
    """Have test users sign in without a password, on the emulator's page only."""

    def users_of(client_id: str) -> Mapping[str, Any]:
        _, pool, _ = cognito._find_pool_by_client_id(client_id)  # noqa: SLF001 - the emulator offers no other way in
        return pool["_users"] if pool else {}

    cognito._login_page_html = with_test_users(cognito._login_page_html, users_of)  # noqa: SLF001 - as above
    cognito._authenticate_hosted_ui_user = without_password(cognito._authenticate_hosted_ui_user)  # noqa: SLF001 - as above
    cognito._decode_id_token_unverified = as_json_says(cognito._decode_id_token_unverified)  # noqa: SLF001 - as above


def with_prefix_lists(
    parse: Callable[..., list[dict[str, Any]]], read: Callable[..., str]
) -> Callable[..., list[dict[str, Any]]]:
    """Wrap the reader of security group rules: keep the prefix lists that a rule names."""

    def parsed(params: Mapping[str, Any], prefix: str) -> list[dict[str, Any]]:
        rules = parse(params, prefix)
        for number, rule in enumerate(rules, start=1):
            listed = (f"{prefix}.{number}.PrefixListIds.{it}" for it in count(1))
            rule["PrefixListIds"] = [
                {key: read(params, f"{it}.{key}") for key in ("PrefixListId", "Description")}
                for it in takewhile(lambda it: read(params, f"{it}.PrefixListId"), listed)
            ]
        return rules

    return parsed


def showing_prefix_lists(show: Callable[..., str]) -> Callable[..., str]:
    """Wrap the writer of security group rules: show the prefix list of a rule."""

    def shown(group: str, rule: Mapping[str, Any], *arguments: Any, **options: Any) -> str:  # noqa: ANN401 - MiniStack's type
        text = show(group, rule, *arguments, **options)
        for it in rule.get("PrefixListIds", []):
            text = f"{text.removesuffix('</item>')}<prefixListId>{it['PrefixListId']}</prefixListId></item>"
        return text

    return shown


def _then(action: Callable[..., Any], after: Callable[[], None]) -> Callable[..., Any]:
    def done(*arguments: Any) -> Any:  # noqa: ANN401 - MiniStack's type
        try:
            return action(*arguments)
        finally:
            after()

    return done


def main() -> None:
    read_whole_batches()
    sign_in_by_one_click()
    ec2._parse_ip_permissions = with_prefix_lists(ec2._parse_ip_permissions, ec2._p)  # noqa: SLF001 - as above
    ec2._sg_rule_xml = showing_prefix_lists(ec2._sg_rule_xml)  # noqa: SLF001 - as above
    worker = lambda_runtime.Worker
    worker._drain_stderr_bounded = wait_for_output(worker._drain_stderr_bounded)  # noqa: SLF001
    app._build_persistence_save_dict = queues_first(app._build_persistence_save_dict)  # noqa: SLF001 - as above
    app.app = RepeatedCalls(app.app)
    runpy.run_module("ministack", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
