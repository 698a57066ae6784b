#!/usr/bin/env python3
"""dawnwatch against a real Airflow 2 and a strict fake chat.

usage: airflow2.py --bin PATH [--shared ../shared] [--home DIR]

`once` must find out by itself which Airflow it asks, and say of each check what that Airflow knows, in two time zones; a wrong password
must be named; `run` must tell each cause once, a heal, and that the scheduler is gone; neither may read this Airflow's past. Passes at
any hour: deadlines are set from the clock. The last line is "N passed, N failed". HOME keeps Airflow's installation between calls;
nothing else is kept or left running.
"""
import contextlib
import datetime as dt
import json
import signal
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path
from zoneinfo import ZoneInfo

from agent_scenes import GAP_S, Agent, calm
from airflow_peer import MOVING, AirflowPeer, Unsettled, checks, compared, moment, settings
from peerlib import Children, CountingProxy, FakeChat, Tally, bursts, figure, free_port, once_all, options, until

PASSWORD = "watch-pw"
CHECKS = ["sales_daily", "dashboard_on_asset", "orders_failing", "half_failed", "clicks_long_running", "logs_up_for_retry",
          "queued_behind", "waits_for_file", "skipped_today", "never_run", "paused_weekly", "empty_owner_utc", "kst_dashboard",
          "broken_import"]  # the last is a file that never loaded, so Airflow has no such DAG
HEALS = "orders_failing"  # on a board of its own: an incident is over when all that waited for it is ready
FAILURES = (HEALS, "half_failed")
OLD_RUNS = 400


class Airflow(AirflowPeer):
    generation, root, health = "2", "/api/v1", "/health"

    def start(self):
        self.script("start", timeout=900)

    def newest(self, dag):
        return self.api("GET", f"/dags/{dag}/dagRuns?limit=1&order_by=-id")["dag_runs"][0]

    def seed(self, hold_off_s):
        """Every state that the examples have, and a past."""
        self.hold_off((15,), hold_off_s)  # 00:00 in Seoul, in UTC
        self.run_seed()
        self.add_old_runs()

    def add_old_runs(self):
        """Runs of long ago, whose ids and dates come before those of all others: no API lets a run be old."""
        day = lambda n, hour: f"{dt.datetime(2025, 12, 1, hour) - dt.timedelta(days=n):%Y-%m-%d %H:%M:%S}.000000"  # noqa: E731
        rows = [(-n, "sales_daily", f"scheduled__old_{n}", "scheduled", "success", 0, day(n, 20), day(n, 20), day(n - 1, 20),
                 day(n - 1, 20), day(n - 1, 20), day(n - 1, 21), day(n - 1, 21)) for n in range(1, OLD_RUNS + 1)]
        with contextlib.closing(sqlite3.connect(self.home / "airflow.db", timeout=60)) as db, db:
            db.executemany(
                "insert into dag_run (id, dag_id, run_id, run_type, state, external_trigger, execution_date, data_interval_start,"
                " data_interval_end, queued_at, start_date, end_date, updated_at) values (" + ", ".join("?" * 13) + ")", rows)
        found = self.api("GET", "/dags/~/dagRuns?limit=1&end_date_lte=2026-01-01T00:00:00Z")["total_entries"]
        if found != OLD_RUNS:
            raise Unsettled(f"it has {found} old runs")

    def world(self):
        """All runs by DAG, but old ones. There are fewer than a page of them."""
        runs = {}
        for run in reversed(self.api("GET", "/dags/~/dagRuns?limit=100&order_by=-id")["dag_runs"]):
            runs.setdefault(run["dag_id"], []).append(run)
        return runs


def scheduled(run):
    """The instant that puts a run into a cycle (DESIGN §5): the end of its interval, but where data triggered it its date."""
    own = run["run_type"] == "dataset_triggered" or not run["data_interval_end"]
    return moment(run["execution_date"] if own else run["data_interval_end"])


def expected(runs, dag, opens):
    """(acceptable verdicts, acceptable arrivals), well before the deadline."""
    if dag == "broken_import":
        return ("unknown",), ()
    counted = sorted((r for r in runs.get(dag, []) if r["run_type"] != "backfill" and scheduled(r) >= opens), key=scheduled)
    if not counted or counted[-1]["state"] in ("running", "queued"):
        return MOVING, ()
    if counted[-1]["state"] == "failed":
        return ("failed",), ()
    return ("ready",), tuple(moment(r["end_date"]) for r in counted if r["state"] == "success")


def board(name, needs, due):
    return (f'[dashboards.{name}]\nneeds = {json.dumps(needs)}\ntell = ["team"]\non = "{due.day} {due.month} *"\n'
            f'ready_by = "{due:%H:%M}"\ncounts_from = "-2d 00:00"')


class Config:
    """One config folder: a check for each DAG, two boards due in six hours, in a window of the two days before."""

    def __init__(self, folder, zone, airflow_url, chat_url, password=PASSWORD, every="60s"):
        self.folder, self.port = folder, free_port()
        self.env = {"AIRFLOW_PASSWORD": password, "SLACK_WEBHOOK_URL": f"{chat_url}/slack/services/T/B/x"}
        due = (dt.datetime.now(dt.timezone.utc) + dt.timedelta(hours=6)).astimezone(ZoneInfo(zone))
        self.opens = dt.datetime.combine(due.date() - dt.timedelta(days=2), dt.time(), ZoneInfo(zone))
        text = [*settings(zone, folder / "watch.db", self.port, airflow_url, every, "30s"),
                '[chats.team]\nkind = "slack"\nurl = { env = "SLACK_WEBHOOK_URL" }',
                '[groups.boards]\nsource = "airflow"\nmatch = { tags = ["dashboard"] }\non = "daily"',
                board("board", [c for c in CHECKS if c != HEALS], due), board("heals", [HEALS], due)]
        text += checks(CHECKS)
        folder.mkdir(parents=True)
        (folder / "dawnwatch.toml").write_text("\n\n".join(text) + "\n")


def once(binary, config):
    """Exit code, the object it printed, all it said."""
    code, told, _, said = once_all(binary, config.folder, config.env, [config.env["AIRFLOW_PASSWORD"]])
    return code, told, said


def scene_once(tally, binary, airflow, proxy, folder, chat, zone):
    """Each verdict against what the Airflow itself knows."""
    config_of = lambda n: Config(folder / f"once-{zone.replace('/', '-')}-{n}", zone, proxy.url, chat.url)  # noqa: E731
    truth_of = lambda config: {dag: expected(airflow.world(), dag, config.opens) for dag in CHECKS}  # noqa: E731
    _, before, (code, told, _), asked = compared(proxy, config_of, truth_of, lambda config: once(binary, config))
    tally.equal(f"{zone}: once finds something", code, 1)
    rows = {row["check"]: row for row in told["verdicts"]}
    for dag, (verdicts, arrivals) in before.items():
        row = rows.get(dag, {})
        held = row.get("verdict") in verdicts and (row["verdict"] != "ready" or moment(row["arrived_at"]) in arrivals)
        tally.expect(f"{zone}: {dag} is {'/'.join(verdicts)}", held, (row, [str(a) for a in arrivals]))
    for dag, word in (("paused_weekly", "paus"), ("logs_up_for_retry", "retried"), ("waits_for_file", "wait")):
        tally.expect(f"{zone}: {dag} says why it has not arrived", word in rows[dag].get("reason", ""), rows[dag])
    tried = [r[2] for r in asked if not r[2].startswith("/api/v1/")]
    tally.expect(f"{zone}: that it is no Airflow 3 costs two questions at most", 1 <= len(tried) <= 2, tried)
    figure("once: requests, bytes of bodies", f"{len(asked)}, {sum(r[4] for r in asked)}")
    old_unread(tally, f"{zone}: once", asked)


def scene_password(tally, binary, proxy, folder, chat):
    code, told, said = once(binary, Config(folder / "wrong", "UTC", proxy.url, chat.url, password="not-the-word"))
    tally.equal("a wrong password: once could not look", code, 3)
    tally.expect("and says that it may be the password", "refused the user name or password" in said, said[:1500])
    tally.equal("what cannot be seen is unknown", {row["verdict"] for row in told["verdicts"]}, {"unknown"})


def scene_run(tally, agent, airflow, proxy, chat, look):
    """`look()` runs `once` on a new store."""
    mark = proxy.mark()
    if not tally.expect("run becomes ready", agent.start() is not None, agent.last_words()):
        raise SystemExit("no running agent, nothing more to look at")
    for name in FAILURES:
        tally.expect(f"{name} is told within 60 s", until(60, lambda: chat.about(name)), agent.last_words())  # noqa: B023
    calm(chat, quiet_s=10)
    for name in FAILURES:
        tally.equal(f"{name} is told in one message", len(chat.about(name)), 1)
    said = json.dumps([r["payload"] for r in chat.about("half_failed")])
    tally.expect("with the task that failed and its error", "bad" in said and "boom" in said, said[:1500])
    cost(tally, proxy, mark)

    before = len(chat.about(HEALS))
    airflow.set_state(HEALS, airflow.newest(HEALS)["dag_run_id"], "success")
    tally.expect("a heal by hand is told", until(90, lambda: len(chat.about(HEALS)) > before), agent.last_words())
    airflow.stop_part("scheduler")
    tally.expect("Airflow itself says that its scheduler is gone", until(90, lambda: not airflow.healthy(), 1))
    causes = [i["cause"] for i in look()[1]["incidents"]]
    tally.expect("a dead scheduler is a cause of its own", [c for c in causes if c.startswith("scheduler")], causes)
    agent.child.send(signal.SIGTERM)
    tally.equal("SIGTERM ends it with 0", agent.child.wait(40), 0)
    refused = [(r["status"], r["problems"]) for r in chat.log("slack") if not r["accepted"] and r["status"] != 429]
    tally.equal("no message was refused", refused, [])
    everything = agent.everything_said() + json.dumps([r["payload"] for r in chat.log("slack")])
    tally.expect("no life of it panicked", "panicked" not in everything)
    tally.expect("and the password was said nowhere", PASSWORD not in everything)


def old_unread(tally, what, asked):
    """A row of a run has more than 250 bytes, however few of its keys are asked for."""
    lists = [r[1:] for r in asked if r[2].split("?")[0].removesuffix("/list").endswith("/dags/~/dagRuns")]
    read = sum(r[3] for r in lists)
    figure(f"{what}: lists of runs, bytes of these", f"{len(lists)}, {read}")
    tally.expect(f"{what} reads none of {OLD_RUNS} old runs", lists and read < OLD_RUNS * 250 // 2, lists)


def cost(tally, proxy, mark):
    until(60, lambda: len(bursts(proxy.since(mark), GAP_S)) >= 6, 0.5)
    found = bursts(proxy.since(mark), GAP_S)
    figure("start with the listing and the causes: requests, bytes of bodies", f"{len(found[0])}, {sum(r[4] for r in found[0])}")
    steady = [b for b in found[1:-1] if not any("/logs/" in r[2] for r in b)]
    if tally.expect("steady sweeps were seen", len(steady) >= 3, len(found)):
        figure("steady sweep (median): requests, bytes of bodies", "%d, %d" % statistics.median_low(
            (len(s), sum(r[4] for r in s)) for s in steady))
        worst = max(steady, key=len)
        old_unread(tally, "a steady sweep", max(steady, key=lambda s: sum(r[4] for r in s)))
        tally.expect("a steady sweep costs at most 4 requests", len(worst) <= 4, [r[1:4] for r in worst])


def main():
    (binary, shared, home), tally = options(__doc__), Tally()
    with tempfile.TemporaryDirectory(prefix="dawnwatch-peers-") as folder, Children(Path(folder)) as children:
        folder, began = Path(folder), time.monotonic()
        airflow = Airflow(shared, home or folder / "airflow", free_port())
        children.later(airflow.stop)
        airflow.begin(began)
        proxy, chat = CountingProxy(airflow.port), FakeChat(children, shared, "hmac-not-used")
        children.later(proxy.close)
        for zone in ("Asia/Seoul", "UTC"):
            scene_once(tally, binary, airflow, proxy, folder, chat, zone)
        scene_password(tally, binary, proxy, folder, chat)
        tally.equal("once posts nothing", len(chat.accepted()), 0)
        config = Config(folder / "run", "Asia/Seoul", proxy.url, chat.url, every="5s")
        look = lambda: once(binary, Config(folder / "scheduler-dead", "Asia/Seoul", proxy.url, chat.url))  # noqa: E731
        scene_run(tally, Agent(children, binary, config), airflow, proxy, chat, look)
        figure("whole test, s", round(time.monotonic() - began))
    return tally.close()


if __name__ == "__main__":
    raise SystemExit(main())
