"""The first batch of subsets chosen by what is known; the further ones are chosen from what was measured.

The first one is that of the default design. `make_design` chooses every other batch by credit/process/choice.py.
"""

from diffusion_credit.subsets.draws.paired_stratified import stream

__all__ = ["stream"]
