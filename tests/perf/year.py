#!/usr/bin/env python3
"""A replayed year: what it costs, and whether it says what is true.

Writes a configuration and a history of pipelines (30 raw tables and nine marts behind each of them, for each dashboard 300 in all),
plays them with `dawnwatch replay --format jsonl`, and holds the lines against the rows: which deadlines were missed, whether each
miss was told by its deadline, and that a word of a run's end comes after it. Prints seconds and the peak of resident memory.

    tests/perf/year.py --bin target/release/dawnwatch --checks 300 --days 365
"""

import argparse
import datetime as dt
import json
import os
import random
import subprocess
import sys
import tempfile
import time

ZONE = dt.timezone(dt.timedelta(hours=9))
FIRST = dt.date(2025, 1, 1)
CONFIG = """timezone = "Asia/Seoul"
tell = ["team"]
[chats.team]
kind = "console"
quiet = "22:00-07:00"
[sources.airflow]
kind = "airflow"
url = "http://127.0.0.1:8080"
token = { env = "NOBODY_ASKS" }
every = "5m"
[digests.morning]
at = "06:30"
to = ["team"]
when_all_green = { workdays = "post", otherwise = "silent" }
"""


def write_config(path, names):
    with open(path, "w", encoding="utf-8") as out:
        out.write(CONFIG)
        for at in range(0, len(names), 300):
            needs = json.dumps(names[at : at + 300])
            out.write(f'[dashboards.d{at // 300:02d}]\nneeds = {needs}\nready_by = "09:00"\naudience = "mon-fri"\n')
        for at, name in enumerate(names):
            within = at % 300
            out.write(f'[checks.{name}]\nsource = "airflow"\nduration = "40m"\n')
            if within >= 30:
                out.write(f'needs = ["{names[at - within + within % 30]}"]\n')


def write_history(path, names, days):
    """Returns for each dashboard and date when the last of its checks had arrived (None: never)."""
    chance = random.Random(7)
    ready = {}
    with open(path, "w", encoding="utf-8") as out:
        out.write("check,started_at,arrived_at,state,error\n")
        for at, name in enumerate(names):
            within, dashboard = at % 300, f"d{at // 300:02d}"
            start_min = 60 + within * 4 if within < 30 else 200 + within % 30 * 4
            for day in range(days):
                date = FIRST + dt.timedelta(days=day)
                start = dt.datetime.combine(date, dt.time(), ZONE) + dt.timedelta(minutes=start_min)
                end = start + dt.timedelta(minutes=20 + chance.random() * 25)
                luck = chance.random()
                rows = []
                if luck < 1 / 400:
                    rows.append((start, end, "failed", "connection refused (member-db-ro:5432)"))
                    start = end + dt.timedelta(minutes=90)
                    end = start + dt.timedelta(minutes=25)
                elif luck < 1 / 400 + 1 / 5000:
                    end += dt.timedelta(hours=5)
                rows.append((start, end, "", ""))
                for began, ended, state, error in rows:
                    out.write(f"{name},{began.isoformat(timespec='seconds')},{ended.isoformat(timespec='seconds')},{state},{error}\n")
                key = (dashboard, date)
                last = rows[-1][1].replace(microsecond=0)
                ready[key] = max(ready.get(key, last), last)
    return ready


def play(binary, folder, days):
    """Returns the lines, seconds of this process' CPU and of the wall, and the peak of resident memory in KiB."""
    last = FIRST + dt.timedelta(days=days - 1)
    command = [binary, "replay", "--config", f"{folder}/dawnwatch.toml", "--history", f"{folder}/history.csv"]
    command += ["--from", str(FIRST), "--to", str(last), "--format", "jsonl"]
    with open(f"{folder}/lines", "w+", encoding="utf-8") as out:
        began = time.monotonic()
        child = subprocess.Popen(command, stdout=out, env={"PATH": os.environ["PATH"]})
        _, status, used = os.wait4(child.pid, 0)
        wall = time.monotonic() - began
        if status != 0:
            sys.exit(f"replay ended with {os.waitstatus_to_exitcode(status)}")
        out.seek(0)
        lines = [json.loads(line) for line in out]
    return lines, used.ru_utime + used.ru_stime, wall, used.ru_maxrss


def wrong(lines, ready, days):
    """What the lines say that is not so."""
    summary, lines = lines[-1], lines[:-1]
    found = []
    if summary.get("kind") != "summary" or summary["nights"] != days:
        found.append(f"the last line is {summary}")
    told = {}
    for line in lines:
        at = dt.datetime.fromisoformat(line["at"])
        if line["kind"] in ("alert", "update"):
            for dashboard in line["dashboards"]:
                told.setdefault((dashboard, at.date()), at)
    times = [line["at"] for line in lines]
    if times != sorted(times):
        found.append("the lines are not in order of time")
    missed = late = 0
    for (dashboard, date), at in ready.items():
        deadline = dt.datetime.combine(date, dt.time(9), ZONE)
        if date.weekday() >= 5:
            if (dashboard, date) in told:
                found.append(f"somebody is told of {dashboard} on {date}, when nobody looks")
        elif at > deadline:
            missed += 1
            first = told.get((dashboard, date))
            if first is None or first > deadline:
                found.append(f"the miss of {dashboard} on {date} is told at {first}")
            # Told at the deadline is in time, and yet not before it.
            late += first is None or first >= deadline
    if summary["misses"] != missed or summary["misses_told_before"] != missed - late:
        found.append(f"{missed} deadlines were missed, {missed - late} told before; the summary: {summary}")
    return found, missed


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--bin", required=True)
    args.add_argument("--checks", type=int, default=300)
    args.add_argument("--days", type=int, default=365)
    args = args.parse_args()
    names = [f"p{at:04d}" for at in range(args.checks)]
    with tempfile.TemporaryDirectory() as folder:
        write_config(f"{folder}/dawnwatch.toml", names)
        ready = write_history(f"{folder}/history.csv", names, args.days)
        lines, cpu, wall, peak = play(os.path.abspath(args.bin), folder, args.days)
    found, missed = wrong(lines, ready, args.days)
    print(f"figure: {args.checks} checks, {args.days} nights, {len(lines) - 1} lines, {missed} misses: "
          f"{cpu:.2f} s of CPU, {wall:.2f} s, {peak} KiB at most")
    for line in found[:20]:
        print(f"WRONG: {line}")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
