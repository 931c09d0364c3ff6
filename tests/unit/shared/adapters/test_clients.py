"""Batches within a service's limits, and which failed calls are worth another try."""

from itertools import pairwise

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)
from hypothesis import given
from hypothesis import strategies as st

from services.shared.adapters.clients import in_batches, is_transient

sizes = st.lists(st.integers(0, 130), max_size=60)


def size(entry: tuple[int, int]) -> int:
    return entry[1]


@given(sizes, st.integers(1, 12))
def test_batches_hold_every_entry_once_and_in_order(weights: list[int], most: int) -> None:
    entries = list(enumerate(weights))

    batches = list(in_batches(entries, size, most=most, most_bytes=100))

    assert [entry for batch in batches for entry in batch] == entries


@given(sizes, st.integers(1, 12))
def test_batches_keep_within_both_limits_unless_one_entry_alone_breaks_them(
    weights: list[int], most: int
) -> None:
    for batch in in_batches(list(enumerate(weights)), size, most=most, most_bytes=100):
        assert 1 <= len(batch) <= most
        assert len(batch) == 1 or sum(map(size, batch)) <= 100


@given(sizes, st.integers(1, 12))
def test_a_batch_is_ended_only_when_the_next_entry_does_not_fit(weights: list[int], most: int) -> None:
    batches = list(in_batches(list(enumerate(weights)), size, most=most, most_bytes=100))

    for batch, following in pairwise(batches):
        assert len(batch) == most or sum(map(size, batch)) + size(following[0]) > 100


def client_error(code: str, status: int) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        "AnyCall",
    )


@pytest.mark.parametrize(
    "error",
    [
        client_error("ThrottlingException", 400),
        client_error("ProvisionedThroughputExceededException", 400),
        client_error("RequestLimitExceeded", 400),
        client_error("TransactionInProgressException", 400),
        client_error("TransactionConflictException", 400),
        client_error("NeverHeardOf", 500),
        client_error("NeverHeardOf", 503),
        EndpointConnectionError(endpoint_url="http://x"),
        ConnectTimeoutError(endpoint_url="http://x"),
        ReadTimeoutError(endpoint_url="http://x"),
    ],
    ids=str,
)
def test_what_passes_by_itself_is_worth_another_try(error: BotoCoreError | ClientError) -> None:
    assert is_transient(error)


@pytest.mark.parametrize(
    "error",
    [
        client_error("ValidationException", 400),
        client_error("AccessDeniedException", 400),
        client_error("ResourceNotFoundException", 400),
        client_error("ConditionalCheckFailedException", 400),
        NoCredentialsError(),
        ParamValidationError(report="x"),
    ],
    ids=str,
)
def test_what_never_passes_is_not(error: BotoCoreError | ClientError) -> None:
    assert not is_transient(error)


def test_an_error_without_an_http_status_is_judged_by_its_code() -> None:
    assert not is_transient(ClientError({"Error": {"Code": "ValidationException"}}, "AnyCall"))
