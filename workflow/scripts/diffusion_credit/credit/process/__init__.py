"""A Gaussian process on subsets: one fit that gives every semivalue and predicts F of every subset.

In: a table of utilities. Out: values, predictions, and how sure they are. docs/estimators.md has the derivation.
`harmonics` splits F by the order of its interactions, `covariance` says what is believed of each order before F is
measured, `corrected` joins two regimes, `likelihood` and `integration` learn the hyperparameters, `posterior` answers,
`choice` says what to measure next.
"""
