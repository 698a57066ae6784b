#!/usr/bin/env python3
"""dawnwatch against the artifacts of a real dbt.

usage: dbt.py --bin PATH [--shared ../shared] [--home DIR]

dbt writes sources.json and run_results.json over tables that are fresh, late, stale, empty, all null and missing, and models that
succeed, fail and wait for one that failed; what `once` says of each is held against the database itself. HOME keeps dbt's installation.
The last line is "N passed, N failed".
"""
import datetime as dt
import shutil
import subprocess
import tempfile
from pathlib import Path
from zoneinfo import ZoneInfo

from peerlib import Children, Tally, board, figure, once_json, options, script

TABLES = ["fresh", "late", "stale", "empty", "all_null", "missing", "unwatched"]
# Checks by name: the artifact, the node, and the verdict that is due.
NODES = {
    "model": ("target", "model.shop.fresh_model", "ready"),
    "broken": ("target", "model.shop.broken_model", "failed"),
    "after": ("target", "model.shop.after_broken", "failed"),
    "never": ("target", "model.shop.never_built", "unknown"),
    "all_run": ("target", "model.shop.*", "failed"),
    "two_run": ("target", "model.shop.*_model", "failed"),
    "built": ("build", "model.shop.*", "ready"),
    "warned": ("build", "test.shop.not_null_*", "ready"),
    "tested": ("build", "test.shop.*", "failed"),
}

# Beside dbt: markers of a day's data, whose date follows the dashboard's.
MARKS = {"marked": ("_SUCCESS", "-1d"), "by_glob": ("_SUCC*", "-1d"), "not_yet": ("_SUCCESS", "0d"), "before": ("_SUCCESS", "-2d")}


def loaded(home):
    """When each table was loaded, as the database has it."""
    code = ("import duckdb, sys; db = duckdb.connect(sys.argv[1], read_only=True); "
            "[print(t, db.execute(f'select epoch_us(max(updated_at)) from {t}').fetchone()[0]) for t in sys.argv[2:]]")
    argv = [home / "venv/bin/python", "-c", code, home / "shop.duckdb", *(t for t in TABLES if t != "missing")]
    lines = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True).stdout.splitlines()
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
    told = dict(line.split() for line in lines)
    return {t: None if us == "None" else epoch + dt.timedelta(microseconds=int(us)) for t, us in told.items()}


def main():
    (binary, shared, home), tally = options(__doc__), Tally()
    with tempfile.TemporaryDirectory(prefix="dawnwatch-peers-") as folder, Children(Path(folder)):
        folder = Path(folder)
        home = (home or folder / "dbt").resolve()
        home.mkdir(parents=True, exist_ok=True)
        script(shared, "dbt.sh", "start", 0, home)
        (folder / "build").mkdir()
        shutil.copytree(home / "target", folder / "target", ignore=shutil.ignore_patterns("compiled", "run", "*.msgpack"))
        shutil.copy(home / "target/build_results.json", folder / "build/run_results.json")
        truth = loaded(home)

        text = ['timezone = "Asia/Seoul"', 'tell = ["team"]', f'[sources.dbt]\nkind = "file"\nroot = "{folder}"']
        text += [f'[checks.{t}]\nsource = "dbt"\npath = "target/sources.json"\ndbt = "source.shop.shop.{t}"' for t in TABLES]
        text += [f'[checks.{name}]\nsource = "dbt"\npath = "{where}/run_results.json"\ndbt = "{node}"'
                 for name, (where, node, _) in NODES.items()]
        needs, due = board([*TABLES, *NODES, *MARKS], ZoneInfo("Asia/Seoul"))
        text += [f'[checks.{name}]\nsource = "dbt"\npath = "clicks/dt={{date:%Y-%m-%d}}/{file}"\ndate = "{date}"'
                 for name, (file, date) in MARKS.items()]
        text.append(needs)
        yesterday = folder / f"clicks/dt={due.date() - dt.timedelta(days=1)}"
        yesterday.mkdir(parents=True)
        (yesterday / "_SUCCESS").touch()
        config = folder / "dawnwatch.toml"
        config.write_text("\n\n".join(text))
        code, told, took = once_json(binary, config, {})
        rows = {row["check"]: row for row in told["verdicts"]}
        tally.equal("once finds something", code, 1)
        for table in ("fresh", "late"):
            got = rows[table]["arrived_at"]
            held = rows[table]["verdict"] == "ready" and dt.datetime.fromisoformat(got) == truth[table]
            tally.expect(f"{table} has arrived when it was loaded", held, f"{rows[table]}, wanted {truth[table]}")
        tally.expect("stale is not new", "the newest is of" in rows["stale"]["reason"], rows["stale"])
        for table in ("empty", "all_null"):
            held = truth[table] is None and "there is no data" in rows[table]["reason"]
            tally.expect(f"{table} has no data", held, rows[table])
        for table in ("missing", "unwatched"):
            tally.equal(f"{table}, of which dbt does not tell, is unknown", rows[table]["verdict"], "unknown")
        for name, (_, node, verdict) in NODES.items():
            tally.equal(f"{node} is {verdict}", rows[name]["verdict"], verdict)

        for name in MARKS:
            there = name in ("marked", "by_glob")
            held = rows[name]["verdict"] == ("ready" if there else "on_track") and bool(rows[name]["arrived_at"]) == there
            tally.expect(f"the marker of {name} is {'there' if there else 'not there'}", held, rows[name])

        whole = (folder / "target/run_results.json").read_bytes()
        (folder / "target/run_results.json").write_bytes(whole[:len(whole) // 2])
        _, told, _ = once_json(binary, config, {})
        rows = {row["check"]: row for row in told["verdicts"]}
        half = [rows[name]["verdict"] for name, (where, _, _) in NODES.items() if where == "target"]
        tally.equal("a file that is half written tells nothing", set(half), {"unknown"})
        figure("once over dbt's artifacts, s", round(took, 2))
    return tally.close()


if __name__ == "__main__":
    raise SystemExit(main())
