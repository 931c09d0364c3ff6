"""The emulator reads a function's log output once all of it has arrived."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from ministack.services import ec2  # type: ignore[import-untyped]

from scripts.local.aws.emulator_main import showing_prefix_lists, wait_for_output, with_prefix_lists


@dataclass
class Process:
    stderr: IO[bytes]


@dataclass
class Worker:
    """The part of the emulator's worker that holds its pipe."""

    _proc: Process


@contextmanager
def worker_with_output(text: bytes) -> Iterator[tuple[Worker, IO[bytes]]]:
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb", buffering=0) as stderr, os.fdopen(writer, "wb", buffering=0) as output:
        output.write(text)
        yield Worker(Process(stderr)), stderr


def test_what_is_in_the_pipe_is_waited_for() -> None:
    read: list[bytes] = []

    def drain(*_: object) -> str:
        return b"".join(read).decode()

    with worker_with_output(b"the last line") as (worker, stderr):
        late = threading.Timer(0.1, lambda: read.append(stderr.read(100)))
        late.start()
        output = wait_for_output(drain)(worker)
        late.join()

    assert output == "the last line"


def test_a_worker_that_is_gone_is_not_waited_for() -> None:
    worker = Worker(Process(os.fdopen(os.dup(0), "rb")))
    worker._proc.stderr.close()  # noqa: SLF001 - the emulator's

    assert wait_for_output(lambda *_: "what there was")(worker) == "what there was"


def test_rules_of_security_groups_keep_their_prefix_lists() -> None:
    params = {
        "IpPermissions.1.IpProtocol": ["tcp"],
        "IpPermissions.1.IpRanges.1.CidrIp": ["10.0.0.0/8"],
        "IpPermissions.2.IpProtocol": ["tcp"],
        "IpPermissions.2.PrefixListIds.1.PrefixListId": ["pl-1"],
        "IpPermissions.2.PrefixListIds.1.Description": ["DynamoDB"],
        "IpPermissions.2.PrefixListIds.2.PrefixListId": ["pl-2"],
    }

    rules = with_prefix_lists(ec2._parse_ip_permissions, ec2._p)(params, "IpPermissions")  # noqa: SLF001 - the emulator offers no other way in

    assert [it["PrefixListIds"] for it in rules] == [
        [],
        [
            {"PrefixListId": "pl-1", "Description": "DynamoDB"},
            {"PrefixListId": "pl-2", "Description": ""},
        ],
    ]


def test_rules_of_security_groups_show_their_prefix_list() -> None:
    show = showing_prefix_lists(ec2._sg_rule_xml)  # noqa: SLF001 - the emulator offers no other way in
    rule = {"IpProtocol": "tcp", "PrefixListIds": [{"PrefixListId": "pl-1"}]}

    assert "<prefixListId>pl-1</prefixListId></item>" in show("sg-1", rule, is_egress=True)
    assert "prefixListId" not in show("sg-1", {"IpProtocol": "tcp", "PrefixListIds": []}, is_egress=True)
