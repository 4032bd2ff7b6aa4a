"""The work that the Python peers do: a purchase counts, and a new rung is a stage change.

What they publish is as Loyalty Ladder would, but for since when the rung left was held.
"""

from __future__ import annotations

from typing import Any

Customer = dict[str, Any]
"""{"purchases", "spend", "rung"}."""


def new() -> Customer:
    return {"purchases": 0, "spend": 0, "rung": None}


def buy(customer: Customer, event: dict[str, Any]) -> dict[str, Any] | None:
    """Take a purchase in; gives the stage change, if it is one."""
    before = customer["rung"]
    customer["purchases"] += 1
    customer["spend"] += event["data"]["amount"]
    customer["rung"] = "customer" if customer["purchases"] >= 2 else "shopper"
    return None if customer["rung"] == before else _change(event, before, customer)


def _change(event: dict[str, Any], before: str | None, customer: Customer) -> dict[str, Any]:
    first = before is None
    sequence = 1 if first else 2
    bought = {"purchases": customer["purchases"]}
    return {
        "specversion": "1.0",
        "id": f"raving-fan/{event['subject']}/{sequence}",
        "source": "/loyalty-ladder",
        "type": "loyalty.stage.changed",
        "subject": event["subject"],
        "time": event["time"],
        "datacontenttype": "application/json",
        "data": {
            "ladder": "raving-fan",
            "version": 1,
            "sequence": sequence,
            "from": before,
            "to": customer["rung"],
            "direction": "up",
            "passed": ["suspect", "prospect", "shopper"] if first else ["customer"],
            "cause": "event",
            "trigger": {"source": event["source"], "id": event["id"], "type": event["type"]},
            "because": {"rule": f"purchases >= {sequence}", "facts": bought},
            "next": {"rung": "customer", "rule": "purchases >= 2", "facts": bought}
            if first
            else {"rung": "member", "rule": "card != none", "facts": {"card": None}},
            "suggest": "thank-and-invite-back" if first else "offer-membership",
            "quiet": False,
        },
    }
