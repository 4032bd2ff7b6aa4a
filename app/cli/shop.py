"""The rules of a shop as its settings have them."""

from __future__ import annotations

from app.core.instants import Calendar
from app.core.money import Rates
from app.core.rules import Rules
from app.settings import Settings
from app.wire.definition import read_folder
from app.wire.rates import read_rates


def rules_of(settings: Settings) -> Rules:
    """Read ladders and rates. Raises DefinitionErrors and DataFileError."""
    currency = settings.currency
    return Rules(
        read_folder(settings.ladders),
        Calendar(settings.timezone),
        read_rates(settings.rates, currency) if settings.rates else Rates.only(currency),
        settings.attributes,
        settings.quiet_before,
    )
