#!/usr/bin/env python3
"""dawnwatch's builtin calendars against the public tables of the Python package `holidays`.

usage: calendars.py --bin PATH

Every day that a builtin calendar covers must be a holiday in both or in neither, except for what DIFFERENT names with its reason.
The last line is "N passed, N failed".
"""
import argparse
import datetime as dt
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import holidays

# Country: from when on and until when we promise to know it at least.
COUNTRIES = {"US": (2025, 2030), "JP": (2025, 2027), "DE": (2025, 2030), "KR": (2024, 2027)}
# (country, date): why ours says otherwise than the package. Empty: as of version 0.109 they agree on every day.
DIFFERENT = {}


def ours(binary, country):
    """Every covered day: its date and its holiday's name, or None."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "dawnwatch.toml"
        config.write_text(f'timezone = "UTC"\n[calendars.it]\nweekend = []\nholidays = ["builtin:{country}"]\n')

        def ask(*span):
            command = [binary, "calendar", "it", "--config", config, "--format", "json", *span]
            return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout)

        covered = ask("--days", "1")["calendars"]["it"]["covered"]
        days = ask("--from", covered["first"], "--to", covered["last"])["days"]
        # A day beyond is unknown, never a workday.
        beyond = dt.date.fromisoformat(covered["last"]) + dt.timedelta(days=1)
        after = ask("--from", str(beyond), "--days", "1")["days"][0]["calendars"]["it"]["kind"]
        return covered, {day["date"]: day["calendars"]["it"] for day in days}, after


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    binary = Path(parser.parse_args().bin).resolve()
    passed = failed = 0

    def check(what, right, why=""):
        nonlocal passed, failed
        passed, failed = passed + bool(right), failed + (not right)
        if not right:
            print(f"FAILED: {what}: {why}")

    unused = set(DIFFERENT)
    for country, (first, last) in COUNTRIES.items():
        covered, days, after = ours(binary, country)
        check(f"{country} coverage", covered["first"] <= f"{first}-01-01" and covered["last"] >= f"{last}-12-31", covered)
        check(f"{country} ends where its data ends", after == "unknown", after)
        theirs = holidays.country_holidays(country, years=range(int(covered["first"][:4]), int(covered["last"][:4]) + 1))
        count = 0
        for date, day in days.items():
            mine, other = day["kind"] == "off", dt.date.fromisoformat(date) in theirs
            count += mine
            reason = DIFFERENT.get((country, date))
            if reason is None:
                check(f"{country} {date}", mine == other, f"ours: {day['name']}; theirs: {theirs.get(date)}")
            else:
                unused.discard((country, date))
                check(f"{country} {date}", mine != other, "is listed as different, and is not")
        print(f"{country}: {covered['first']} to {covered['last']}, {count} holidays, holidays {holidays.__version__}")
    check("every listed difference is in a calendar", not unused, unused)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
