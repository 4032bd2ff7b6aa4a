"""TLS of the API, for those who serve it and those who ask it."""

from __future__ import annotations

import ssl
from pathlib import Path

from app.errors import SettingsError


def serving(certfile: Path | None, keyfile: Path | None) -> ssl.SSLContext | None:
    """Return how the API is served, None for plain HTTP. Raises SettingsError."""
    if certfile is None:
        return None
    try:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        # Without a password nobody is asked for one: a worker has no terminal.
        context.load_cert_chain(certfile, keyfile, password=lambda: "")
    except (OSError, ValueError) as error:
        raise SettingsError(
            [f"LADDER_API_CERTFILE and LADDER_API_KEYFILE cannot be used: {error}"]
        ) from error
    return context


def asking(cafile: Path | None) -> ssl.SSLContext | None:
    """Return what certificates are checked with, None for what the system trusts.

    Raises SettingsError.
    """
    if cafile is None:
        return None
    try:
        return ssl.create_default_context(cafile=cafile)
    except (OSError, ValueError) as error:
        raise SettingsError([f"LADDER_API_CAFILE cannot be used: {error}"]) from error
