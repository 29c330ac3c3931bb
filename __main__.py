"""`python -m context_checkpoint`: the same as `context-checkpoint`."""

from __future__ import annotations

import sys

from .cli.app import main

sys.exit(main())
