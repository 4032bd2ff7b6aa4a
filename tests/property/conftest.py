"""How hard laws are tried: `LAW_EXAMPLES=5000` for longer than anybody waits."""

import os

from hypothesis import settings

# No deadline: a busy machine is no counterexample.
settings.register_profile("laws", settings(), deadline=None)
if "LAW_EXAMPLES" in os.environ:
    settings.register_profile(
        "laws", settings(), deadline=None, max_examples=int(os.environ["LAW_EXAMPLES"])
    )
settings.load_profile("laws")
