"""What the rules that credit contributors share."""


localrules:
    check_precision,
    collect_utilities,
    collect_list_utilities,
    attribute_contributors,
    print_first_values,
    plot_attribution,
    attribute_by_baseline,
    evaluate_lds,
    evaluate_league,
    evaluate_budget,
    evaluate_fidelity,
    evaluate_counterfactual,
    evaluate_removal,
    summarise_runtime,
    summarise_models,
    draw_contact_sheets,
    credit,


LDS, COUNTERFACTUAL = STUDY.evaluation.lds, STUDY.evaluation.counterfactual
TARGET = STUDY.design.target
FIDELITY = LDS.regimes if LDS else []
MAIN = COUNTERFACTUAL.estimator
HIGHER = {name: of.higher_is_better for name, of in STUDY.properties.items()}
TEMPLATES = SCRIPTS / "diffusion_credit/report"
OF_DESIGN = [name for name, of in STUDY.estimators.items() if not of.game]
