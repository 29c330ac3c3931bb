"""`python -m context_checkpoint.demo`: the same as `context-checkpoint demo`."""

from __future__ import annotations

import sys

from .play import main

sys.exit(main())
