"""`python -m launcher …`, started by `./namrong` inside the checkout's own environment."""

import sys

from launcher.cli import main

sys.exit(main())
