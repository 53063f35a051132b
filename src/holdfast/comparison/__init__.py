"""Predictions -> Verdict: paired comparisons, the leaderboard, the ledger of sealed rows."""
