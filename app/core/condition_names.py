"""What was probably meant by a name that is no fact: other words for facts, as people who know
shops, SQL or other tools write them.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from difflib import get_close_matches

_MEANT = {
    "null": "none", "nil": "none", "undefined": "none", "empty": "none",
    "yes": "true", "no": "false",
    "is": "==", "xor": "!=",
    "order": "purchases", "orders": "purchases", "purchase_count": "purchases",
    "order_count": "purchases", "num_orders": "purchases", "total_orders": "purchases",
    "orders_in": "purchases_in", "frequency": "purchases_in(365)",
    "revenue": "spend", "revenue_in": "spend_in", "spending": "spend", "spent": "spend",
    "total_spent": "spend", "total_spend": "spend", "amount": "spend", "total": "spend",
    "monetary": "spend", "sales": "spend", "turnover": "spend", "lifetime_value": "spend",
    "ltv": "spend", "clv": "spend",
    "aov": "average_order", "quantity": "units", "items": "units",
    "need": "need_in(30)", "events": "events_in(30)", "visits": "events_in(30)",
    "tier": "card", "member": "registered", "is_member": "registered", "signup": "registered",
    "ratings": "reviews", "rating": "positives", "complaints": "negatives",
    "age": "profile.age", "gender": "profile.gender",
}  # fmt: skip
_AGO = re.compile(r"(?:days_)?(?:since_)?(?:the_)?(?:last|latest)_(\w+)|days_since_(\w+)|(recency)")
_AGO_OF = (
    ("review", "reviews_in"),
    ("referral", "referrals_in"),
    ("inquir", "inquiries_in"),
    ("purchase", "purchases_in"),
    ("order", "purchases_in"),
    ("buy", "purchases_in"),
    ("recency", "purchases_in"),
    *((word, "events_in") for word in ("seen", "visit", "activ", "event", "contact")),
)
_WINDOW = re.compile(r"([a-z_]+?)_?(?:in_)?(?:last_|past_)?([0-9]{1,4})_?(?:d|days?)?")
_FUNCTIONS = frozenset(
    {"count", "sum", "avg", "min", "max", "abs", "round", "len", "if", "days_since"}
)


def meant_by(name: str, known: Collection[str], windowed: Collection[str]) -> str:
    """Finish the sentence "unknown fact 'name'; ...". Names with a window are in both."""
    word = name.lower()
    if word in _MEANT:
        return f"did you mean '{_MEANT[word]}'?"
    ago = _AGO.fullmatch(word)
    about = next(filter(None, ago.groups())) if ago else ""
    if fact := next((fact for part, fact in _AGO_OF if part in about), None):
        return f"did you mean '{fact}(30)'? (>= 1: something in the last 30 days, == 0: nothing)"
    if (window := _WINDOW.fullmatch(word)) and f"{window[1]}_in" in windowed:
        return f"did you mean '{window[1]}_in({window[2]})'?"
    if word in _FUNCTIONS:
        return "there are no functions; facts are counted already: purchases, spend_in(365)"
    if close := get_close_matches(word, known, n=1, cutoff=0.7):
        return f"did you mean '{close[0]}'?"
    short = name if len(name) <= 40 else "NAME"
    return f"an attribute is written profile.{short}, a text in quotes: '{short}'"
