"""A real Airflow 3, started and seeded, and what it knows, asked through its admin's API.

The rules here are written from DESIGN §5 alone and share nothing with the program under test.
"""
import shutil
import urllib.error
from pathlib import Path

from airflow_peer import ADMIN, MOVING, AirflowPeer, Unsettled, moment
from peerlib import http_json, http_text, until

HERE = Path(__file__).resolve().parent
MANY = 300


class Airflow(AirflowPeer):
    """With DAGs of our own beside those of ../shared/peers."""

    generation, root, health = "3", "/api/v2", "/monitor/health"

    def __init__(self, shared, home, port):
        super().__init__(shared, home, port)
        self.token, self.dags = None, self.home / "dags"

    def start(self):
        self.token = None
        self.dags.mkdir(parents=True, exist_ok=True)
        for file in [*(self.peers / "dags").glob("*.py"), *(HERE / "dags").glob("*.py")]:
            shutil.copyfile(file, self.dags / file.name)
        self.script("start", timeout=600, MANY_DAGS=str(MANY), DAGS=str(self.dags))

    def login(self):
        if not self.token:
            name, password = ADMIN
            self.token = http_json("POST", self.url + "/auth/token", {"username": name, "password": password})["access_token"]
        return "Bearer " + self.token

    def newest(self, dag, run_type):
        return self.api("GET", f"/dags/{dag}/dagRuns?limit=1&order_by=-run_after&run_type={run_type}")["dag_runs"][0]

    def seed(self, hold_off_s):
        """Every state that the examples have, and four more of our own."""
        self.hold_off((15, 21), hold_off_s)  # 00:00 and 06:00 in Seoul, in UTC
        if not until(120, lambda: http_text(self.url + "/api/v2/version")[0] == 200):
            raise SystemExit("the API does not answer")
        if not until(180, lambda: self.known("breaks_later"), 1):
            raise SystemExit("breaks_later was not loaded")
        # Airflow parses only files that name both "dag" and "airflow".
        (self.dags / "breaks_later.py").write_text("import no_such_module  # a dag file of airflow, broken by now\n")
        self.run_seed(str(MANY), "0")
        # A failed run of an old business date (its run_after is now): it must not count.
        for i in range(20, 23):
            body = {"dag_run_id": "old_date", "logical_date": "2026-03-02T06:00:00+09:00"}
            self.api("POST", f"/dags/pipeline_{i:03d}/dagRuns", body)
            self.set_state(f"pipeline_{i:03d}", "old_date", "failed")
        # Two generated ones fail; a manual run of the same business date repairs the second.
        settled = lambda d: (r := self.newest(d, "scheduled"))["state"] == "success" and r  # noqa: E731
        for dag in ("pipeline_010", "pipeline_013"):
            self.set_state(dag, until(180, lambda: settled(dag), 1)["dag_run_id"], "failed")
        self.api("POST", "/dags/pipeline_013/dagRuns", {"dag_run_id": "by_hand", "logical_date": None})
        if not until(240, self.settled, 2):
            raise Unsettled("the seeded runs did not settle")

    def settled(self):
        world = self.world()
        good = lambda dag: any(r["state"] == "success" for r in world.runs.get(dag, []))  # noqa: E731
        generated = all(i == 10 or good(f"pipeline_{i:03d}") for i in range(MANY))
        by_hand = any(r["dag_run_id"] == "by_hand" and r["state"] == "success" for r in world.runs["pipeline_013"])
        doomed = any(t == "failed" for t in world.tasks.get("doomed_run", {}).values())
        retrying = "up_for_retry" in world.tasks.get("logs_up_for_retry", {}).values()
        return generated and by_hand and doomed and retrying and world.dags["breaks_later"]["has_import_errors"]

    def known(self, dag):
        try:
            return self.api("GET", f"/dags/{dag}")
        except urllib.error.HTTPError:
            return None

    def paged(self, path, key):
        rows = []
        while True:
            page = self.api("GET", f"{path}{'&' if '?' in path else '?'}limit=100&offset={len(rows)}")
            rows += page[key]
            if not page[key] or len(rows) >= page["total_entries"]:
                return rows

    def world(self):
        return World(self)


class World:
    """All DAGs, all runs, and the task states of what runs, at one instant."""

    def __init__(self, airflow):
        self.dags = {d["dag_id"]: d for d in airflow.paged("/dags?exclude_stale=false&order_by=dag_id", "dags")}
        self.runs, self.tasks = {}, {}
        for run in airflow.paged("/dags/~/dagRuns?order_by=id", "dag_runs"):
            self.runs.setdefault(run["dag_id"], []).append(run)
            if run["state"] == "running":
                rows = airflow.api("GET", airflow.run_path(run["dag_id"], run["dag_run_id"]) + "/taskInstances")["task_instances"]
                self.tasks[run["dag_id"]] = {t["task_id"]: t["state"] for t in rows}

    def expected(self, dag, opens):
        """(acceptable verdicts, acceptable arrivals) of a check in the window that opens at `opens`, well before its deadline."""
        row = self.dags.get(dag)
        if row is None or row["is_stale"] and not row["has_import_errors"]:
            return ("unknown",), ()
        if row["is_stale"]:  # its file broke: Airflow 3.3 then hides it from its plain listing, which is a vanished check
            return (*MOVING, "unknown"), ()
        runs = [r for r in self.runs.get(dag, []) if r["run_type"] != "backfill"]
        counted = sorted((r for r in runs if scheduled(r) >= opens), key=scheduled)
        if not counted:
            return MOVING, ()
        newest = counted[-1]
        if newest["state"] == "success":
            return ("ready",), tuple(moment(r["end_date"]) for r in counted if r["state"] == "success")
        if newest["state"] == "failed":
            return ("failed",), ()
        doomed = newest["state"] == "running" and set(self.tasks.get(dag, {}).values()) & {"failed", "upstream_failed"}
        return (("failed",) if doomed else MOVING), ()


def scheduled(run):
    """The instant that puts a run into a cycle: a manual run for an old date is of that date, whenever it was started."""
    if run["run_type"] == "manual":
        return moment(run["data_interval_end"] or run["logical_date"] or run["run_after"])
    return moment(run["run_after"])
