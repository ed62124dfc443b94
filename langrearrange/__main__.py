"""`python -m langrearrange`: the command, for those whose PATH lacks it."""

from langrearrange.cli.main import main

raise SystemExit(main())
