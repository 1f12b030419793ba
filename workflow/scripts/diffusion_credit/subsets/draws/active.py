"""The first batch of subsets chosen by what is known; the further ones are chosen from what was measured.

The first one is that of the default design. The rule `choose_subsets` makes every other batch.
"""

from diffusion_credit.subsets.draws.paired_stratified import stream

__all__ = ["stream"]
