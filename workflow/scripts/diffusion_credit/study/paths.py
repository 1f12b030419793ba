"""Where the results of a study lie, and which of them a stage needs, whatever is credited."""

from pathlib import Path
from typing import Any

from diffusion_credit.base.options import Section
from diffusion_credit.base.plugins import name_of
from diffusion_credit.models.options import AUTOENCODER, AUTOENCODER_FILES
from diffusion_credit.study.config import Study, plain
from diffusion_credit.study.plan import START, given
from diffusion_credit.study.subset_lists import batch_names, lists, rows_of


class Paths:
    """Paths of results, relative to where the workflow runs. results: the study's folder, if not results/<study>.

    A collection is what one stage, such as `models` or `images`, makes of one batch of a list in one regime; its path
    is that of its manifest.
    """

    def __init__(self, study: Study, results: str | None = None) -> None:
        self.study, self.lists = study, lists(study)
        self.results = results or f"results/{study.study}"
        self.batch_size = (study.local or study.design).batch_size

    def below(self, files: list[str]) -> list[str]:
        """Files of the plan, which are below the results."""
        return [f"{self.results}/{file}" for file in files]

    def with_figures(self, tables: list[str]) -> list[str]:
        """Tables of the plan, and the picture beside each."""
        stems = [Path(table).with_suffix("") for table in tables]
        return [f"{self.results}/{stem}.{kind}" for stem in stems for kind in ("csv", "png")]

    def batches(self, name: str, count: int | None = None) -> list[str]:
        """Names of all batches of a list, or of the first ones."""
        return batch_names(self.lists[name].rows if count is None else count * self.batch_size, self.batch_size)

    def rows(self, name: str, batch: str) -> int:
        """Number of rows in one batch of a list."""
        return rows_of(batch, self.lists[name].rows, self.batch_size)

    def designs(self, name: str, count: int | None = None) -> list[str]:
        """The tables of subsets of a list's batches."""
        return [f"{self.results}/designs/{name}/{batch}.csv" for batch in self.batches(name, count)]

    def ranked_by(self, name: str) -> list[str]:
        """What says who is best, where the best are removed."""
        return self.below(self.lists[name].ranked_by)

    def design_plugins(self, name: str) -> list[str]:
        """The module that draws a list's subsets, where that is a design's."""
        options = self.lists[name].options
        return [name_of("designs", options["kind"])] if options["list"] == "sampled" else []

    def collections(self, stage: str, regime: str, name: str, count: int | None = None) -> list[str]:
        """A list's collections in a regime, at a stage."""
        return [f"{self.results}/{stage}/{regime}/{name}/{batch}/manifest.json" for batch in self.batches(name, count)]

    def of_everyone(self, stage: str, regime: str) -> str:
        """The collection of the one model of everyone that a study makes in a single regime."""
        (manifest,) = self.collections(stage, regime, "everyone")
        return manifest

    def start(self, regime: str) -> list[str]:
        """The model that a regime's trainings begin with; none where they begin at random."""
        start = START[regime]
        return [self.of_everyone("models", start)] if start else []

    def alike(self, regime: str) -> list[str]:
        """The given model, whose architecture a regime's random networks have; none where `model` says it."""
        return [self.of_everyone("models", "full")] if given(self.study) and START[regime] is None else []

    def encoded(self) -> list[str]:
        """The training images as the network takes them, where that is not as pixels."""
        return [f"{self.results}/inputs/manifest.json"] if self.study.model.needs_weights() else []

    def prompts(self) -> list[str]:
        """What a network with a prompt is told of the generated images."""
        return [f"{self.results}/inputs/prompts/manifest.json"] if self.study.model.prompted else []

    def generation(self) -> dict[str, Any]:
        """How images are drawn. Their prompts come as a file, so that it does not matter how the config names them."""
        return {key: value for key, value in plain(self.study.generation).items() if key != "prompts"}

    def prompts_file(self) -> list[str]:
        """The file of prompts, where the study names one."""
        given = self.study.generation.prompts
        return [given] if isinstance(given, str) else []

    def weights(self, section: Section) -> list[str]:
        """Manifests of the pretrained weights that a section of the config uses."""
        return [f"{self.results}/weights/{name}/manifest.json" for name in section.needs_weights()]

    def autoencoder(self, name: str) -> list[str]:
        """The autoencoder that is trained for an entry of the study's `weights`, where one is."""
        trained = self.study.weights[name].autoencoder
        return [f"{self.results}/autoencoders/{name}/manifest.json"] if trained else []

    def weights_options(self, name: str) -> dict[str, Any]:
        """Where weights come from; of an autoencoder that is trained first, the folder that it is written to."""
        options = {key: value for key, value in plain(self.study.weights[name]).items() if key != AUTOENCODER}
        for manifest in self.autoencoder(name):
            options |= {"folder": str(Path(manifest).parent / AUTOENCODER), "files": list(AUTOENCODER_FILES)}
        return options

    def fitted_extractor(self, name: str) -> list[str]:
        """What an extractor learnt from the study's images, where it learns anything."""
        fitted = self.study.extractors[name].fitted
        return [f"{self.results}/extractors/{name}/manifest.json"] if fitted else []

    def gradient_models(self, name: str) -> list[str]:
        """The models that gradients are taken of."""
        if self.study.gradients[name].models == "retrained":
            return self.collections("models", "retrain", "anchors")
        return [self.of_everyone("models", "full")]

    def source(self, stage: str, whose: str) -> str:
        """The collection that a baseline is made from."""
        return (
            f"{self.results}/gradients/{whose}/manifest.json"
            if stage == "gradients"
            else self.of_everyone(stage, whose)
        )

    def baseline_sources(self, name: str) -> dict[str, tuple[str, str]]:
        """What a baseline is made from: name -> stage, collection."""
        asked = self.study.baselines[name].sources()
        return {key: (stage, self.source(stage, whose)) for key, (stage, whose) in asked.items()}

    def local_sources(self, name: str) -> dict[str, tuple[str, str]]:
        """The same where images are credited, for which the validation images are explained as well."""
        found = self.baseline_sources(name)
        for stage in {stage for stage, _ in found.values()} - {"gradients"}:  # one at most
            found["validation"] = stage, self.of_everyone(stage, "validation")
        return found
