"""Items are sized and billed by the rules of DynamoDB."""

import pytest

from benchmarks.harness.dynamodb_capacity import item_bytes, read_units, write_units


def test_an_item_is_as_large_as_its_names_and_values() -> None:
    assert item_bytes({"pk": {"S": "default#ä"}, "on": {"BOOL": True}}) == 2 + 10 + 2 + 1


@pytest.mark.parametrize(("digits", "size"), [("7", 2), ("42", 2), ("-420", 3), ("12.34", 3)])
def test_a_number_takes_a_byte_for_two_digits_and_one_more(digits: str, size: int) -> None:
    assert item_bytes({"n": {"N": digits}}) == 1 + size


def test_lists_and_maps_take_three_bytes_and_one_for_each_entry() -> None:
    assert item_bytes({"l": {"L": [{"S": "ab"}, {"S": "c"}]}}) == 1 + 3 + (1 + 2) + (1 + 1)
    assert item_bytes({"m": {"M": {"ab": {"S": "c"}}}}) == 1 + 3 + (1 + 2 + 1)


def test_binary_counts_decoded_and_not_as_base64() -> None:
    assert item_bytes({"b": {"B": "AAAA"}}) == 1 + 3


@pytest.mark.parametrize(("size", "units"), [(0, 1), (1, 1), (1024, 1), (1025, 2), (4096, 4)])
def test_a_write_unit_is_each_kilobyte_begun(size: int, units: int) -> None:
    assert write_units(size) == units


@pytest.mark.parametrize(("size", "units"), [(0, 1), (4096, 1), (4097, 2)])
def test_a_read_unit_is_each_four_kilobytes_begun(size: int, units: int) -> None:
    assert read_units(size) == units
