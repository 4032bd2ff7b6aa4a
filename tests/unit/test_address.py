"""Where somebody is to be found of whom no more than hashes is kept."""

from __future__ import annotations

from hashlib import sha256

import pytest

from app.core.address import address_of
from app.stream.keys import partition_of


@pytest.mark.parametrize("customer", ["", "c", "c-4", "c-42", "c-421", "Ngọc", "顧客🙂", "x" * 128])
@pytest.mark.parametrize("partitions", [1, 7, 8, 64])
def test_an_address_leads_to_the_partition_of_the_id(customer: str, partitions: int) -> None:
    address = address_of(customer)
    assert address.digest == sha256(customer.encode()).digest()
    assert address.spread % partitions == partition_of(customer.encode(), partitions)
