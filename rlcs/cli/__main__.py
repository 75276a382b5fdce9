"""``python -m rlcs.cli`` is ``rlcs``."""

import sys

from rlcs.cli.main import main

sys.exit(main())
