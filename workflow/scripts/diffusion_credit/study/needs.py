"""What the rules that credit contributors need, stage by stage, and what the targets are."""

from pathlib import Path
from typing import Any

from diffusion_credit.base.plugins import name_of
from diffusion_credit.models.regimes import CONDITIONAL
from diffusion_credit.study import plan, subset_lists
from diffusion_credit.study.config import Study, plain
from diffusion_credit.study.paths import Paths


class Needs(Paths):
    """Paths of what a rule takes. `sampled`: the number of batches of sampled subsets, which a target may raise."""

    def __init__(self, study: Study, results: str | None = None) -> None:
        super().__init__(study, results)
        self.alphas = subset_lists.alphas(study)
        self.regime = study.design.regime  # whose utilities the values divide

    def of_contributors(self, stage: str) -> str:
        """What the one conditional model draws for each contributor, at a stage such as `images`."""
        return f"{self.results}/{stage}/{CONDITIONAL}/everyone/0000/manifest.json"

    def names(self) -> list[str]:
        """The training images' texts that name contributors, where the one conditional model is told them so."""
        return [f"{self.results}/inputs/names/manifest.json"] if self.study.model.prompted else []

    def named_prompts(self) -> list[str]:
        """The prompts that name contributors, likewise."""
        return [f"{self.results}/inputs/named_prompts/manifest.json"] if self.study.model.prompted else []

    def guided_generation(self) -> dict[str, Any]:
        """How the one conditional model draws images."""
        section = self.study.regimes.conditional
        own = {} if section is None or section.guidance is None else {"guidance": section.guidance}
        return self.generation() | own

    # --- properties

    def property_plugin(self, prop: str) -> str:
        """The module that defines a property."""
        return name_of("properties", self.study.properties[prop].kind)

    def measured_options(self, prop: str) -> dict[str, Any]:
        """What a property is measured by. Its scale is not among it, so another scale measures nothing again."""
        return {key: value for key, value in plain(self.study.properties[prop]).items() if key != "transform"}

    def measured_on(self, prop: str) -> str:
        """The stage whose collections a property is made from."""
        section = self.study.properties[prop]
        return f"features/{section.extractor}" if section.reads == "features" else "images"

    def reference_features(self, prop: str) -> str:
        """What a property's reference is made from."""
        return self.of_everyone(self.measured_on(prop), self.study.properties[prop].reference)

    def reference(self, prop: str) -> list[str]:
        """What a property compares with, where it compares."""
        compares = self.study.properties[prop].compares
        return [f"{self.results}/references/{prop}.safetensors"] if compares else []

    def properties(self, prop: str, regime: str, name: str, count: int | None = None) -> list[str]:
        """A property of a list's models in a regime."""
        return self.collections(f"properties/{prop}", regime, name, count)

    # --- utilities

    def utilities_of(self, prop: str, regime: str, name: str) -> str:
        """The table of a list's values in a regime."""
        return f"{self.results}/utilities/{prop}/{regime}_{name}.csv"

    def utilities_for(self, prop: str, estimator: str) -> list[str]:
        """The tables that an estimator credits from: the design's, or those of its game and of that regime's ends."""
        name = self.study.estimators[estimator].game
        if name is None:
            return [f"{self.results}/utilities/{prop}.csv"]
        regime = self.study.games[name].regime
        return [self.utilities_of(prop, regime, each) for each in (subset_lists.game(name), "anchors")]

    def cheap_for(self, prop: str, estimator: str) -> list[str]:
        """The tables of the cheaper regime that an estimator takes beside its own."""
        return [f"{self.results}/utilities/{prop}.csv"] if self.study.estimators[estimator].takes_design() else []

    def predicting(self, prop: str) -> dict[str, tuple[list[str], list[str]]]:
        """The estimators that also predict F of any subset, and the tables that they do it from, cheap ones apart."""
        able = [name for name, of in self.study.estimators.items() if of.predicts]
        return {name: (self.utilities_for(prop, name), self.cheap_for(prop, name)) for name in able}

    def predicting_first(self, prop: str) -> tuple[list[str], list[str]]:
        """The tables that predict what models without somebody are: of the main estimator, if it can, or the first."""
        found = self.predicting(prop)
        return found.get(self.study.evaluation.counterfactual.estimator) or next(iter(found.values()))

    def utilities_of_all(self, prop: str) -> list[str]:
        """Every table that an estimator credits from, each once."""
        tables = [self.utilities_for(prop, name) for name in self.study.estimators]
        return list(dict.fromkeys(table for each in tables for table in each))

    def held_out(self, prop: str, regime: str) -> list[str]:
        """The tables of held-out subsets, one for each alpha."""
        return [self.utilities_of(prop, regime, subset_lists.held_out(alpha)) for alpha in self.alphas]

    def compared_sample(self, prop: str) -> list[str]:
        """The design's utilities, where its regime is one that is compared with retraining."""
        lds = self.study.evaluation.lds
        return [f"{self.results}/utilities/{prop}.csv"] if lds and self.regime in lds.regimes else []

    def tuning_of(self, prop: str) -> list[str]:
        """The table on which baselines choose their variant, where there are any."""
        return [self.utilities_of(prop, self.regime, "tuning")] if self.study.baselines else []

    def bounds(self, baseline: str) -> list[str]:
        """What the full model and a baseline's game say of generated images; none where it compares no models."""
        if (game := self.study.baselines[baseline].needs_game()) is None:
            return []
        stage, regime = f"bounds/{baseline}", self.study.games[game].regime
        return [self.of_everyone(stage, "full"), *self.collections(stage, regime, subset_lists.game(game))]

    def left_out(self, baseline: str) -> list[str]:
        """The tables of who is left out in a baseline's game."""
        game = self.study.baselines[baseline].needs_game()
        return [] if game is None else self.designs(subset_lists.game(game))

    def counterfactual(self, prop: str) -> str:
        """The table of the models without the top of the main estimator, and with only them."""
        return self.utilities_of(prop, "retrain", subset_lists.counterfactual(prop))

    def removed_tops(self, prop: str) -> list[str]:
        """The tables of the models without the top of one method, or of every one."""
        rivals = [self.utilities_of(prop, "retrain", subset_lists.without_top(prop))]
        return [self.counterfactual(prop), *(rivals if subset_lists.compared(self.study) else [])]

    # --- values

    def estimator_options(self, name: str) -> dict[str, Any]:
        """An estimator's section, with the study's groups where it credits these."""
        options = plain(self.study.estimators[name])
        return options | ({"groups": self.study.groups} if options["kind"] == "owen" else {})

    def estimator_plugin(self, name: str) -> str:
        """The module that defines an estimator."""
        return name_of("estimators", self.study.estimators[name].kind)

    def attributions_of(self, prop: str, methods: list[str]) -> list[str]:
        """Tables of values for a property."""
        return self.below([subset_lists.attribution(prop, name) for name in methods])

    def attributions(self) -> list[str]:
        """Every table of values, with its figure, and the first property's as text."""
        return [*self.below(["first_values.txt"]), *self.with_figures(plan.attributions(self.study))]

    # --- the proof and the report

    def evaluations(self) -> list[str]:
        """Every table of the evaluation, with its figure where it has one, and the contact sheets."""
        tables = plan.evaluations(self.study)
        undrawn = ("noise", "runtime", "learning")
        alone = [table for table in tables if Path(table).stem in undrawn or Path(table).parent.name == "paper"]
        drawn = [table for table in tables if table not in alone]
        return [*self.with_figures(drawn), *self.below([*alone, "evaluation/contributor.png"])]

    def reported_tables(self) -> list[str]:
        """Tables of the evaluation that the report shows."""
        costs = [f"evaluation/{name}/cost.csv" for name in self.study.properties if self.study.evaluation.lds]
        shown = [table for table in plan.evaluations(self.study) if Path(table).parent.name != "paper"]
        return self.below(shown + costs)

    def published_tables(self, prop: str) -> dict[str, Any]:
        """What a property's published numbers are put beside."""
        methods = subset_lists.methods(self.study)
        evaluated = f"{self.results}/evaluation"
        return {
            "held_out": dict(zip(self.alphas, self.held_out(prop, "retrain"), strict=True)),
            "tuning": self.tuning_of(prop),
            "attributions": dict(zip(methods, self.attributions_of(prop, methods), strict=True)),
            "baselines": {name: f"{self.results}/baselines/{name}.csv" for name in self.study.baselines},
            "league": f"{evaluated}/{prop}/league.csv",
            "fidelity": f"{evaluated}/{prop}/fidelity.csv",
            "runtime": f"{evaluated}/runtime.csv",
        }

    def beside_published(self) -> list[str]:
        """Every file that published numbers are put beside, each once."""
        found: list[str] = []
        for prop in self.study.properties:
            for files in self.published_tables(prop).values():
                found += [files] if isinstance(files, str) else files.values() if isinstance(files, dict) else files
        return list(dict.fromkeys(found))

    def made_of_everyone(self) -> list[str]:
        """Collections whose provenance names every package that the results depend on."""
        measured = [self.measured_on(name) for name in self.study.properties]
        properties = [f"properties/{name}" for name in self.study.properties]
        stages = dict.fromkeys(["models", "images", *measured, *properties])
        pruned = self.of_everyone("models", "pruned")
        return [pruned, *(self.of_everyone(stage, "full") for stage in stages)]

    def removed(self, prop: str) -> list[str]:
        """Images of the models without the main estimator's top, and with only the top."""
        return self.collections("images", "retrain", subset_lists.counterfactual(prop))
