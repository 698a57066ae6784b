#!/usr/bin/env python3
"""dawnwatch against a real Airflow 2 and a strict fake chat.

usage: airflow2.py --bin PATH [--shared ../shared] [--home DIR]

`once` must find out by itself which Airflow it asks, and say of each check what that Airflow knows, in two time zones; a wrong password
must be named; `run` must tell each cause once, a heal, and that the scheduler is gone. Passes at any hour: deadlines are set from the
clock. The last line is "N passed, N failed". HOME keeps Airflow's installation between calls; nothing else is kept or left running.
"""
import argparse
import base64
import datetime as dt
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
from pathlib import Path
from urllib.parse import quote
from zoneinfo import ZoneInfo

from agent_scenes import Agent, calm
from airflow_truth import MOVING, Unsettled, moment, seconds_to
from peerlib import Children, CountingProxy, FakeChat, Tally, bursts, figure, free_port, http_json, until

PASSWORD = "watch-pw"
CHECKS = ["sales_daily", "dashboard_on_asset", "orders_failing", "half_failed", "clicks_long_running", "logs_up_for_retry",
          "queued_behind", "waits_for_file", "skipped_today", "never_run", "paused_weekly", "empty_owner_utc", "kst_dashboard",
          "broken_import"]  # the last is a file that never loaded, so Airflow has no such DAG
HEALS = "orders_failing"  # on a board of its own: an incident is over when all that waited for it is ready
FAILURES = (HEALS, "half_failed")
GAP_S = 1.5  # between two sweeps there is more, within one there is less


class Airflow:
    """Started by ../shared/peers/airflow.sh; `stop` ends all of it."""

    def __init__(self, shared, home, port):
        self.peers, self.home, self.port = shared / "peers", Path(home).resolve(), port
        self.url = f"http://127.0.0.1:{port}"

    def start(self):
        self.script("start", timeout=900)

    def script(self, verb, timeout=120):
        argv = ["bash", self.peers / "airflow.sh", verb, "2", self.home, str(self.port)]
        env = {**os.environ, "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "15"}
        subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=env, timeout=timeout)

    def stop(self):
        """At once: its database is thrown away, and a polite stop takes longer than whoever interrupts us may wait."""
        for file in (self.home / "run").glob("*.pid"):
            self.stop_part(file.stem)
        self.script("stop")

    def stop_part(self, name):
        """Ends one component: the processes of its session, as airflow.sh does it."""
        session = (self.home / "run" / f"{name}.pid").read_text().strip()
        pids = subprocess.run(["ps", "-o", "pid=", "-s", session], capture_output=True, text=True).stdout.split()
        for pid in (int(p) for p in pids):
            try:
                if os.readlink(f"/proc/{pid}/cwd") == str(self.home):  # a number may have been given to somebody else
                    os.kill(pid, signal.SIGKILL)
            except (ProcessLookupError, FileNotFoundError):
                pass

    def api(self, method, path, body=None):
        auth = {"Authorization": "Basic " + base64.b64encode(b"admin:admin-pw").decode()}
        for _ in range(8):
            try:
                return http_json(method, f"{self.url}/api/v1{path}", body, auth)
            except urllib.error.HTTPError as e:
                if e.code != 500:  # SQLite: "database is locked" while the scheduler is busy
                    raise
            time.sleep(1)
        raise SystemExit(f"{method} {path}: 500 again and again")

    def healthy(self):
        return self.api("GET", "/health")["scheduler"]["status"] == "healthy"

    def newest(self, dag):
        return self.api("GET", f"/dags/{dag}/dagRuns?limit=1&order_by=-id")["dag_runs"][0]

    def set_state(self, dag, state):
        run = quote(self.newest(dag)["dag_run_id"], safe="")
        self.api("PATCH", f"/dags/{dag}/dagRuns/{run}", {"state": state})

    def seed(self, hold_off_s):
        """Every state that the examples have. Waits where a tick is near that would undo them."""
        tick = seconds_to(15)  # 00:00 in Seoul, in UTC
        if tick < hold_off_s:
            print(f"  {tick:.0f} s until the daily DAGs run anew: waiting for that", flush=True)
            time.sleep(tick + 60)
        argv = [sys.executable, self.peers / "airflow_seed.py", self.url, "2"]
        child, end, sick_s = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL), time.monotonic() + 420, 0
        while child.poll() is None and time.monotonic() < end and sick_s < 60:
            time.sleep(5)
            sick_s = 0 if self.healthy() else sick_s + 5  # on SQLite it can die of "database is locked"
        if child.poll() is None:
            child.kill()
        if child.wait() != 0:
            raise Unsettled(f"its scheduler is {'dead' if sick_s else 'alive'}")

    def world(self):
        """All runs by DAG. There are fewer than a page of them."""
        runs = {}
        for run in self.api("GET", "/dags/~/dagRuns?limit=100&order_by=id")["dag_runs"]:
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
        text = [f'timezone = "{zone}"\ntell = ["team"]\n[store]\npath = "{folder / "watch.db"}"\n[web]\nlisten = "127.0.0.1:{self.port}"',
                f'[sources.airflow]\nkind = "airflow"\nurl = "{airflow_url}"\nusername = "watch"\n'
                f'password = {{ env = "AIRFLOW_PASSWORD" }}\nevery = "{every}"\ntimeout = "30s"',
                '[chats.team]\nkind = "slack"\nurl = { env = "SLACK_WEBHOOK_URL" }',
                '[groups.boards]\nsource = "airflow"\nmatch = { tags = ["dashboard"] }\non = "daily"',
                board("board", [c for c in CHECKS if c != HEALS], due), board("heals", [HEALS], due)]
        text += [f'[checks.{name}]\nsource = "airflow"\non = "daily"' for name in CHECKS]
        folder.mkdir(parents=True)
        (folder / "dawnwatch.toml").write_text("\n\n".join(text) + "\n")


def once(binary, config):
    """Exit code, the object it printed, all it said."""
    argv = [binary, "once", "--config", config.folder, "--format", "json"]
    done = subprocess.run(argv, env={**os.environ, **config.env}, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
    if config.env["AIRFLOW_PASSWORD"] in done.stdout + done.stderr:
        raise SystemExit("once printed a secret")
    try:
        return done.returncode, json.loads(done.stdout), done.stdout + done.stderr
    except ValueError:
        raise SystemExit(f"once printed no JSON (exit {done.returncode}):\n{done.stdout[:2000]}\n{done.stderr[:4000]}") from None


def scene_once(tally, binary, airflow, proxy, folder, chat, zone):
    """Each verdict against what the Airflow itself knows. Asked before and after: what moved meanwhile is asked again."""
    for attempt in range(8):
        config = Config(folder / f"once-{zone.replace('/', '-')}-{attempt}", zone, proxy.url, chat.url)
        truth = lambda: {dag: expected(airflow.world(), dag, config.opens) for dag in CHECKS}  # noqa: E731, B023
        before, mark = truth(), proxy.mark()
        code, told, _ = once(binary, config)
        asked = proxy.since(mark)
        if before == truth():
            break
        time.sleep(10)
    else:
        raise SystemExit("the Airflow did not hold still for one comparison in eight")
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
    airflow.set_state(HEALS, "success")
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


def cost(tally, proxy, mark):
    until(60, lambda: len(bursts(proxy.since(mark), GAP_S)) >= 6, 0.5)
    found = bursts(proxy.since(mark), GAP_S)
    figure("start with the listing and the causes: requests, bytes of bodies", f"{len(found[0])}, {sum(r[4] for r in found[0])}")
    steady = [b for b in found[1:-1] if not any("/logs/" in r[2] for r in b)]
    if tally.expect("steady sweeps were seen", len(steady) >= 3, len(found)):
        figure("steady sweep (median): requests, bytes of bodies", "%d, %d" % statistics.median_low(
            (len(s), sum(r[4] for r in s)) for s in steady))
        worst = max(steady, key=len)
        tally.expect("a steady sweep costs at most 4 requests", len(worst) <= 4, [r[1:4] for r in worst])


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--bin", required=True, type=Path)
    ap.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[3] / "shared")
    ap.add_argument("--home", type=Path)
    opt = ap.parse_args()
    binary, shared, tally = opt.bin.resolve(), opt.shared.resolve(), Tally()
    with tempfile.TemporaryDirectory(prefix="dawnwatch-peers-") as folder, Children(Path(folder)) as children:
        folder, began = Path(folder), time.monotonic()
        airflow = Airflow(shared, opt.home or folder / "airflow", free_port())
        children.later(airflow.stop)
        for tries_left in (2, 1, 0):
            airflow.start()
            figure("Airflow started, s", round(time.monotonic() - began))
            try:
                airflow.seed(hold_off_s=480)
                break
            except Unsettled as why:
                print(f"  Airflow could not be seeded ({why}), tries left: {tries_left}", flush=True)
                airflow.stop()
                if not tries_left:
                    raise
        figure("and seeded, s", round(time.monotonic() - began))
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
