"""`python -m scenewise` is the command line."""

from scenewise.service.cli import main

main()
