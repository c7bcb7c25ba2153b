"""A factorisation machine over user, item, attributes and moment, for clicks and ratings (see model.py)."""

from scenewise.tools.collaborative.factorisation.config import FactorisationConfig
from scenewise.tools.collaborative.factorisation.fields import Columns, Slots, Words
from scenewise.tools.collaborative.factorisation.model import Contributions, Factorisation

__all__ = ["Columns", "Contributions", "Factorisation", "FactorisationConfig", "Slots", "Words"]
