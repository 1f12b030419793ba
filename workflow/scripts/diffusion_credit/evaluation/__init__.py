"""How good the values are: LDS, fidelity, counterfactual, runtime."""
