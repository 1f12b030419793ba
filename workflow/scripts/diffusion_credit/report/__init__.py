"""What is handed over in the end: the payout, the credit document, and the page and the card made from it."""
