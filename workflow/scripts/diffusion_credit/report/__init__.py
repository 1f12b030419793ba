"""Results as people read them: figures, the page, the credit document, the data card, the payout.

In: finished tables and pictures. Out: PNG, HTML, JSON, Markdown, CSV.
Imports `base`, `data`, `models`, `measuring`, `credit` and `evaluation`.
"""
