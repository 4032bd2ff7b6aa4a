"""How laws are tried: without a deadline, for a busy machine is no counterexample."""

from hypothesis import settings

settings.register_profile("laws", settings(), deadline=None)
settings.load_profile("laws")
