"""What the engine's own tests and fuzz targets begin with is what Python hands over and stores.

`python -m tests.contract.test_engine_corpus` writes the files anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from app import _engine
from app.core.events import (
    CardIssued,
    Inquired,
    ProfileErased,
    ProfileMerged,
    ProfilePlaced,
    ProfileUpdated,
    ReferralConverted,
    Registered,
    ReviewPosted,
)
from app.core.money import Rates
from app.wire import handed
from tests.partitions import Rows
from tests.property.streams import EDGY
from tests.shop import BUILT_IN, DAY, HOUR, Shop, at, rules_of

CORPUS = Path(__file__).parents[2] / "engine/fuzz/corpus"
ATTRIBUTES = ("city", "vip")
NOW = at("2024-02-27T22:00")
DOLLAR = ((date(2024, 1, 1) - date(1970, 1, 1)).days, "USD", Decimal("25000.5"))
RULES = rules_of(*BUILT_IN, rates=Rates("VND", [DOLLAR]), attributes=ATTRIBUTES)
IN_SAIGON = rules_of(*EDGY, timezone="Asia/Ho_Chi_Minh", quiet_before=NOW)


def crowded() -> dict[bytes, bytes]:
    """Rows of every kind, and in them something of everything."""
    shop = Shop(*BUILT_IN, attributes=ATTRIBUTES)
    for number in range(20):
        shop.buy(f"o{number}", NOW + number * HOUR, customer="a", amount=10**12)
    shop.buy("p", NOW, customer="b")
    told = (
        Registered("b"), CardIssued("gold"), Inquired(None), ReviewPosted("r", 4.5, "review"),
        ReferralConverted("z", 5, "VND"), ProfilePlaced(BUILT_IN[0].id, BUILT_IN[0].rungs[0].id),
        ProfileUpdated({"city": "Hà Nội", "vip": True}),
        ProfileUpdated({"city": ["x"], "vip": 1.5}),
    )  # fmt: skip
    for number, data in enumerate(told):
        shop.tell(data, NOW + DAY + number, customer="a", id=f"e{number}")
    shop.tell(ProfileMerged("a"), NOW + 2 * DAY, customer="b", id="m")
    shop.buy("q", NOW, customer="c")
    shop.tell(ProfileErased(), NOW + DAY, customer="c", id="x")
    rows = Rows(shop.rules)
    for slot in shop.slots.values():
        rows.save(slot)
    return rows.held


def files() -> Iterator[tuple[str, bytes]]:
    yield "definitions/built-in.json", handed.definitions(BUILT_IN)
    yield "definitions/edgy.json", handed.definitions(EDGY)
    yield "shop/rates.json", handed.shop(RULES)
    yield "shop/time-zone.json", handed.shop(IN_SAIGON)
    old = crowded()
    engine = _engine.Records(
        handed.definitions(BUILT_IN), handed.shop(RULES), handed.day_starts(RULES.calendar)
    )
    for folder, rows in (("old_record", old), ("record", engine.upgrade(old))):
        for key, row in sorted(rows.items()):
            name = key.decode() if key[:1] != b"x" else f"x-{key[1:5].hex()}"
            yield f"{folder}/{name}.row", row


@pytest.mark.parametrize(("name", "content"), [pytest.param(*file, id=file[0]) for file in files()])
def test_a_file_of_the_corpus_is_what_python_and_the_engine_write(
    name: str, content: bytes
) -> None:
    assert (CORPUS / name).read_bytes() == content


if __name__ == "__main__":
    for name, content in files():
        (CORPUS / name).write_bytes(content)
