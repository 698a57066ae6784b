"""Holds the score of a backtest against what it was when it was last looked at: it may get better, not worse.

    foresight.py SCORE.json      as `task.py score --json` writes it
"""

import json
import sys

# (what, where in the score, the worst that is let through)
AT_MOST = [
    ("Brier, slack 0, D-60", ("slacks", "0", "calibration", "60", "brier"), 0.0925),
    ("Brier, slack 60, D-60", ("slacks", "60", "calibration", "60", "brier"), 0.1145),
    ("Brier, slack 180, D-60", ("slacks", "180", "calibration", "60", "brier"), 0.0470),
    ("ECE, slack 60, D-60", ("slacks", "60", "calibration", "60", "ece"), 0.020),
    ("pinball, min", ("eta", "pinball_minutes"), 29.6),
]
AT_LEAST = [
    ("early>=30, slack 60, 0.25 a month", ("slacks", "60", "budgets", "0.25", "early_30"), 0.775),
    ("early>=60, slack 60, 0.25 a month", ("slacks", "60", "budgets", "0.25", "early_60"), 0.495),
    ("early>=60, slack 180, 0.25 a month", ("slacks", "180", "budgets", "0.25", "early_60"), 0.890),
]


def main():
    with open(sys.argv[1], encoding="utf-8") as handle:
        score = json.load(handle)
    worse = 0
    for limits, sign in ((AT_MOST, 1), (AT_LEAST, -1)):
        for what, path, limit in limits:
            value = score
            for key in path:
                value = value[key]
            bad = sign * value > sign * limit
            worse += bad
            print(f"  {what}: {value:.4f} ({'at most' if sign > 0 else 'at least'} {limit}){'  WORSE' if bad else ''}")
    sys.exit(1 if worse else 0)


if __name__ == "__main__":
    main()
