"""What the tests against a real Airflow 2 and a real Airflow 3 share: starting, seeding and ending it, asking its admin's API, and
comparing with it while it moves. What either generation knows, and what follows from that, is each test's own.
"""
import base64
import datetime as dt
import os
import signal
import subprocess
import sys
import time
import urllib.error
from pathlib import Path
from urllib.parse import quote

from peerlib import figure, http_json

MOVING = ("on_track", "at_risk")  # before the deadline, not arrived, nothing has gone wrong for good
ADMIN = ("admin", "admin-pw")


def moment(text):
    return dt.datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None


class Unsettled(Exception):
    """Airflow did not come to the state that the test needs: its trouble, not dawnwatch's."""


class AirflowPeer:
    """Started by ../shared/peers/airflow.sh; `stop` ends all of it. A generation adds `start`, `seed` and how its API is asked."""

    generation = root = health = None

    def __init__(self, shared, home, port):
        self.peers, self.home, self.port = shared / "peers", Path(home).resolve(), port
        self.url = f"http://127.0.0.1:{port}"

    def script(self, verb, timeout=120, **env):
        argv = ["bash", self.peers / "airflow.sh", verb, self.generation, self.home, str(self.port)]
        env = {**os.environ, "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "15", **env}
        subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=env, timeout=timeout)

    def begin(self, began, hold_off_s=480):
        """Started and seeded; where it does not come to rest from the beginning again, three times at most."""
        for tries_left in (2, 1, 0):
            self.start()
            figure("Airflow started, s", round(time.monotonic() - began))
            try:
                self.seed(hold_off_s)
                break
            except Unsettled as why:
                print(f"  Airflow could not be seeded ({why}), tries left: {tries_left}", flush=True)
                self.stop()
                if not tries_left:
                    raise
        figure("and seeded, s", round(time.monotonic() - began))

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

    def login(self):
        return "Basic " + base64.b64encode(":".join(ADMIN).encode()).decode()

    def api(self, method, path, body=None):
        headers = {"Authorization": self.login()}
        for _ in range(8):
            try:
                return http_json(method, f"{self.url}{self.root}{path}", body, headers)
            except urllib.error.HTTPError as e:
                if e.code != 500:  # SQLite: "database is locked" while the scheduler is busy
                    raise
            time.sleep(1)
        raise SystemExit(f"{method} {path}: 500 again and again")

    def healthy(self, component="scheduler"):
        return self.api("GET", self.health)[component]["status"] == "healthy"

    def run_path(self, dag, run_id):
        return f"/dags/{dag}/dagRuns/{quote(run_id, safe='')}"

    def set_state(self, dag, run_id, state):
        self.api("PATCH", self.run_path(dag, run_id), {"state": state})

    def hold_off(self, hours_utc, hold_off_s):
        """Waits where a tick is near that would undo what is seeded."""
        tick = min(seconds_to(hour) for hour in hours_utc)
        if tick < hold_off_s:
            print(f"  {tick:.0f} s until the daily DAGs run anew: waiting for that", flush=True)
            time.sleep(tick + 60)

    def run_seed(self, *more):
        """On SQLite a busy scheduler can die of "database is locked" (seen on 3.3.2), and nothing settles any more."""
        argv = [sys.executable, self.peers / "airflow_seed.py", self.url, self.generation, *more]
        child, end, sick_s = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL), time.monotonic() + 420, 0
        while child.poll() is None and time.monotonic() < end and sick_s < 60:
            time.sleep(5)
            sick_s = 0 if self.healthy() else sick_s + 5
        if child.poll() is None:
            child.kill()
        if child.wait() != 0:
            raise Unsettled(f"its scheduler is {'dead' if sick_s else 'alive'}")


def seconds_to(hour_utc):
    now = dt.datetime.now(dt.timezone.utc)
    at = now.replace(hour=hour_utc, minute=0, second=0, microsecond=0)
    return (at - now).total_seconds() % 86400


def settings(zone, store, port, url, every, timeout):
    """TOML of the watch itself and of its one source."""
    return [f'timezone = "{zone}"\ntell = ["team"]', f'[store]\npath = "{store}"', f'[web]\nlisten = "127.0.0.1:{port}"',
            f'[sources.airflow]\nkind = "airflow"\nurl = "{url}"\nusername = "watch"\n'
            f'password = {{ env = "AIRFLOW_PASSWORD" }}\nevery = "{every}"\ntimeout = "{timeout}"']


def checks(names):
    return [f'[checks.{name}]\nsource = "airflow"\non = "daily"' for name in names]


def compared(proxy, config_of, truth_of, ask):
    """A config, what is true for it, what was told, and the requests for that. The truth is asked before and after: what moved
    meanwhile is asked again, with a config of its own."""
    for attempt in range(8):
        config = config_of(attempt)
        before, mark = truth_of(config), proxy.mark()
        told = ask(config)
        asked = proxy.since(mark)
        if before == truth_of(config):
            return config, before, told, asked
        time.sleep(10)  # hourly DAGs were running: of the generated ones 100 start at a quarter past
    raise SystemExit("the Airflow did not hold still for one comparison in eight")
