"""How the models of subsets are made, a section for each registered regime, and how long each may take."""

import inspect
from typing import Any

from pydantic import Field, create_model

from diffusion_credit.base.options import Section
from diffusion_credit.base.plugins import module_of
from diffusion_credit.models.regimes import CONDITIONAL, OF_EVERYONE, REGIMES


def _section(name: str) -> Any:
    module = module_of("regimes", name)
    return module.Options | None, Field(default=None, description=inspect.getdoc(module))


def _minutes(name: str) -> Any:
    of = "The model of everyone" if name in (*OF_EVERYONE, CONDITIONAL) else "A subset's model"
    brief = module_of("regimes", name).START in OF_EVERYONE  # which it goes on from
    return float, Field(default=10 if brief else 240, gt=0, description=f"{of} in the regime `{name}`.")


Regimes: Any = create_model(
    "Regimes",
    __base__=Section,
    __doc__="How a subset's model is made. A study needs the section of each regime that it uses;"
    " every study uses `retrain`.",
    **{name: _section(name) for name in REGIMES},
)
RegimeMinutes: Any = create_model(
    "RegimeMinutes", __base__=Section, **{name: _minutes(name) for name in (*OF_EVERYONE, *REGIMES)}
)
