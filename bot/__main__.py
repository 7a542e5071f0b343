"""`python -m bot`: the same as the shell command `aiops`."""

import sys

from bot.cli import main

sys.exit(main())
