"""Copy that can be proved: evidence rows, a sentence from a template, and the check that every sentence must pass."""

from scenewise.tools.copywriter.check import Claim, Verdict, check_copy
from scenewise.tools.copywriter.evidence import EvidenceRow, evidence_for
from scenewise.tools.copywriter.template import Copy, template_copy

__all__ = ["Claim", "Copy", "EvidenceRow", "Verdict", "check_copy", "evidence_for", "template_copy"]
