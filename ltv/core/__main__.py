"""``python -m ltv.core FILE.csv`` values a purchase log; ``--help`` says more."""

import sys

from ltv.core.command.main import main

sys.exit(main())
