"""Sections of which there are several kinds: each registered module has its own."""

from typing import Annotated, Any, Union

from pydantic import Field

from diffusion_credit.base.plugins import module_of
from diffusion_credit.baselines.methods import BASELINES
from diffusion_credit.credit.estimators import ESTIMATORS
from diffusion_credit.data.sources import SOURCES
from diffusion_credit.measuring.extractors import EXTRACTORS
from diffusion_credit.measuring.properties import PROPERTIES
from diffusion_credit.models.networks import NETWORKS


def _options(package: str, names: tuple[str, ...], key: str) -> Any:
    """The union of the registered modules' Options, told apart by `key`."""
    models = tuple(module_of(package, name).Options for name in names)
    return Annotated[Union[models], Field(discriminator=key)]  # noqa: UP007 - built from a tuple


Source = _options("sources", SOURCES, "source")
Network = _options("networks", NETWORKS, "kind")
Extractor = _options("extractors", EXTRACTORS, "kind")
Property = _options("properties", PROPERTIES, "kind")
Estimator = _options("estimators", ESTIMATORS, "kind")
Baseline = _options("baselines", BASELINES, "kind")
