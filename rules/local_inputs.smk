"""What the rules of local attribution need, stage by stage, and what the targets are."""


localrules:
    list_influential,


ALPHA = next(iter(ALPHAS))


def local_sources(name):
    """What a baseline is made from, and the same of the validation images: name -> stage, manifest."""
    found = baseline_sources(name)
    stages = {stage for stage, _ in found.values()} - {"gradients"}
    return found | {
        "validation": (stage, of_everyone(stage, "validation")) for stage in stages
    }


def design_options(name):
    """What the rows of a list depend on; on its length none of them does."""
    if name == "everyone":
        return dict(list="everyone")
    held_out = dict(alphas=[LOCAL.alpha])
    if name == "tuning":
        return dict(list="tuning", alpha=LOCAL.alpha, **held_out)
    if name.startswith("held_out_"):
        return dict(
            list="held_out", alpha=LOCAL.alpha, replicates=LOCAL.replicates, **held_out
        )
    return dict(
        list="without_best",
        removed=LOCAL.regeneration.removed,
        images=LOCAL.regeneration.images,
    )


def best_first(w):
    """The scores that name the training images to remove; none where chance does."""
    name = w.list.removeprefix("without_")
    return f"{R}/local/{name}/scores.safetensors" if name in STUDY.baselines else []


def local_results():
    """Tables and pictures of a study of single images."""
    return with_figures(plan.local_tables(STUDY))
