#!/usr/bin/env python3
"""dawnwatch against a real luigid and a strict fake chat.

usage: luigi.py --bin PATH [--shared ../shared] [--home DIR]

`once` must say of each task family what that luigid knows; `run` must tell a failure once and with its reason, keep what was done
when luigid has forgotten it, and call nothing failed for being unknown; only methods that read may ever be asked. Passes at any hour:
deadlines are set from the clock. The last line is "N passed, N failed". HOME keeps Luigi's installation between calls.
"""
import datetime as dt
import json
import os
import signal
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from agent_scenes import Agent, calm
from peerlib import Children, CountingProxy, FakeChat, Tally, bursts, figure, free_port, http_json, options, until

READS = {"/api/graph", "/api/task_list", "/api/fetch_error"}
MOVING = ("on_track", "at_risk")
# By family, as luigi.sh leaves them; the last two as globs of ids.
TRUTH = {"DailySales": ("ready",), "LoadOrders": ("ready",), "BrokenExtract": ("failed",), "GivesUp": ("failed",), "Orphan": ("failed",),
         "LongRunning": MOVING, "Batched": MOVING, "MartFromRunning": MOVING, "MartFromBroken": MOVING, "MartFromDisabled": MOVING,
         "MartFromLog": MOVING, "ArrivalOfLog": MOVING, "*Orders_2026_03_01_*": ("ready",), "*roken*_2026_03_01_*": ("failed",)}
WAITS_FOR = {"MartFromBroken": "BrokenExtract", "MartFromDisabled": "GivesUp", "MartFromLog": "ArrivalOfLog"}
NEVER = "NeverHeardOf"
GAP_S = 1.0  # between two sweeps there is more, within one there is less


class Luigi:
    """Started by ../shared/peers/luigi.sh; `stop` ends all of it."""

    def __init__(self, shared, home, port):
        self.peers, self.home, self.port = shared / "peers", Path(home).resolve(), port
        self.url = f"http://127.0.0.1:{port}"

    def script(self, verb, **env):
        argv = ["bash", self.peers / "luigi.sh", verb, self.home, str(self.port)]
        subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env={**os.environ, **env}, timeout=300)

    def tasks(self):
        return http_json("GET", self.url + "/api/graph")["response"]

    def run(self, task):
        """Runs a task to its end, by a worker that leaves then."""
        env = {**os.environ, "LUIGI_CONFIG_PATH": str(self.home / "luigi.cfg"), "WATCH_OUT": str(self.home / "out"),
               "PYTHONPATH": str(self.peers / "luigi"), "PYTHONWARNINGS": "ignore"}
        argv = [self.home / "venv/bin/python", "-m", "luigi", "--module", "watch_tasks", "--scheduler-url", self.url,
                "--worker-max-keep-alive-idle-duration", "1", task]
        with open(self.home / f"{task}.log", "wb") as log:
            subprocess.run(argv, env=env, cwd=self.home, stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=120)


class Config:
    """One config folder: a check for each subject, one board due in six hours, in a window of the two days before."""

    def __init__(self, folder, luigi_url, chat_url, subjects, every="2s"):
        self.folder, self.port, self.env = folder, free_port(), {"SLACK_WEBHOOK_URL": f"{chat_url}/slack/services/T/B/x"}
        due = dt.datetime.now(dt.timezone.utc) + dt.timedelta(hours=6)
        names = {subject: f"c{n}" if "*" in subject else subject for n, subject in enumerate(subjects)}
        self.subject = {name: subject for subject, name in names.items()}
        text = [f'timezone = "UTC"\ntell = ["team"]\n[store]\npath = "{folder / "watch.db"}"\n[web]\nlisten = "127.0.0.1:{self.port}"',
                f'[sources.luigi]\nkind = "luigi"\nurl = "{luigi_url}"\nevery = "{every}"',
                '[chats.team]\nkind = "slack"\nurl = { env = "SLACK_WEBHOOK_URL" }',
                '[groups.families]\nsource = "luigi"\nmatch = { ids = ["*"] }\non = "daily"',
                f'[dashboards.board]\nneeds = {json.dumps(list(self.subject))}\ntell = ["team"]\non = "{due.day} {due.month} *"\n'
                f'ready_by = "{due:%H:%M}"\ncounts_from = "-2d 00:00"']
        text += [f'[checks.{name}]\nsource = "luigi"\nid = "{subject}"\non = "daily"' for name, subject in self.subject.items()]
        folder.mkdir(parents=True)
        (folder / "dawnwatch.toml").write_text("\n\n".join(text) + "\n")


def once(binary, config):
    """What it printed, by the subject of each check."""
    argv = [binary, "once", "--config", config.folder, "--format", "json"]
    done = subprocess.run(argv, env={**os.environ, **config.env}, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    try:
        rows = json.loads(done.stdout)["verdicts"]
    except (ValueError, KeyError):
        raise SystemExit(f"once printed no verdicts (exit {done.returncode}):\n{done.stdout[:2000]}\n{done.stderr[:4000]}") from None
    return done.returncode, {config.subject[row["check"]]: row for row in rows if row["dashboard"] == "board"}


def scene_once(tally, binary, folder, luigi, proxy, chat):
    config = Config(folder / "once", proxy.url, chat.url, [*TRUTH, NEVER])
    mark = proxy.mark()
    code, rows = once(binary, config)
    figure("once, 14 tasks: requests, bytes of bodies", f"{len(proxy.since(mark))}, {sum(r[4] for r in proxy.since(mark))}")
    tally.equal("once finds something", code, 1)
    tasks = luigi.tasks()
    tally.equal("and luigid is as it was seeded", sorted({t["name"] for t in tasks.values()}), sorted(s for s in TRUTH if "*" not in s))
    for subject, verdicts in TRUTH.items():
        row = rows.get(subject, {})
        tally.expect(f"{subject} is {'/'.join(verdicts)}", row.get("verdict") in verdicts, row)
    for subject in ("DailySales", "LoadOrders"):
        ended = max(t["last_updated"] for t in tasks.values() if t["name"] == subject)
        told = dt.datetime.fromisoformat(rows[subject]["arrived_at"].replace("Z", "+00:00")).timestamp()
        tally.expect(f"{subject} arrived when its task ended", abs(told - ended) < 0.001, (told, ended))
    for subject, upstream in WAITS_FOR.items():
        tally.expect(f"{subject} waits for {upstream}", upstream in rows[subject].get("reason", ""), rows[subject])
    tally.expect("what luigid never heard of is neither green nor red", rows[NEVER]["verdict"] not in ("ready", "failed", "late"), rows[NEVER])


def scene_run(tally, children, binary, folder, luigi, proxy, chat):
    """A luigid that forgets after ten seconds: first it knows nothing, then all is done, then it knows nothing again."""
    subjects = ["DailySales", "LoadOrders", "BrokenExtract", NEVER]
    config = Config(folder / "run", proxy.url, chat.url, subjects)
    agent = Agent(children, binary, config)
    mark = proxy.mark()
    if not tally.expect("run becomes ready beside an empty luigid", agent.start() is not None, agent.last_words()):
        raise SystemExit("no running agent, nothing more to look at")
    calm(chat, quiet_s=6)
    tally.equal("an empty luigid is nothing to tell six hours ahead", [r["payload"].get("text") for r in chat.accepted()], [])
    words = {s: row["verdict"] for s, row in once(binary, config)[1].items()}
    tally.expect("and nothing is green or red for it", not set(words.values()) & {"ready", "failed", "late"}, words)

    luigi.run("DailySales")
    done = lambda: once(binary, config)[1]["DailySales"]["verdict"] == "ready"  # noqa: E731
    tally.expect("what was done is seen", until(15, done, 1))
    tally.expect("luigid forgets it", until(60, lambda: not luigi.tasks(), 1), luigi.tasks())
    time.sleep(6)  # three sweeps that know nothing of it
    rows = once(binary, config)[1]
    for subject in ("DailySales", "LoadOrders"):
        tally.equal(f"{subject} stays arrived when luigid has forgotten it", rows[subject]["verdict"], "ready")

    luigi.run("BrokenExtract")
    tally.expect("a failure is told within 40 s", until(40, lambda: chat.about("BrokenExtract")), agent.last_words())
    calm(chat, quiet_s=6)
    about = [json.dumps(r["payload"], ensure_ascii=False) for r in chat.about("BrokenExtract")]
    tally.equal("in one message", len(about), 1)
    tally.expect("with its reason", about and "source table is empty" in about[0], about)
    tally.expect("nothing else was told as failed", not [r for r in chat.accepted() if NEVER in json.dumps(r["payload"])], chat.accepted())
    refused = [(r["status"], r["problems"]) for r in chat.log("slack") if not r["accepted"] and r["status"] != 429]
    tally.equal("no message was refused", refused, [])
    cost(tally, proxy.since(mark))
    agent.child.send(signal.SIGTERM)
    tally.equal("SIGTERM ends it with 0", agent.child.wait(12), 0)
    tally.expect("no life of it panicked", "panicked" not in agent.everything_said())


def cost(tally, requests):
    sweeps = [b for b in bursts([r for r in requests if "fetch_error" not in r[2]], GAP_S)][2:-1]
    if tally.expect("steady sweeps were seen", len(sweeps) >= 3, len(sweeps)):
        middle = statistics.median_low((len(s), sum(r[4] for r in s)) for s in sweeps)
        figure("steady sweep (median): requests, bytes of bodies", "%d, %d" % middle)
        tally.equal("a steady sweep costs one request", middle[0], 1)


def scene_methods(tally, proxy):
    """luigid takes `prune` and the like from anybody: none of these may ever be asked."""
    asked = {(r[1], urlsplit(r[2]).path) for r in proxy.since(0)}
    tally.expect("only methods that read were asked", asked <= {("GET", path) for path in READS}, asked)
    bad = [r[2] for r in proxy.since(0) if set(parse_qs(urlsplit(r[2]).query)) != {"data"}]
    tally.equal("each with its arguments as data", bad, [])


def main():
    (binary, shared, home), tally = options(__doc__), Tally()
    with tempfile.TemporaryDirectory(prefix="dawnwatch-peers-") as folder, Children(Path(folder)) as children:
        folder, began = Path(folder), time.monotonic()
        luigi = Luigi(shared, home or folder / "luigi", free_port())
        children.later(lambda: luigi.script("stop"))
        luigi.script("start")
        figure("Luigi started and seeded, s", round(time.monotonic() - began))
        proxy, chat = CountingProxy(luigi.port), FakeChat(children, shared, "hmac-not-used")
        children.later(proxy.close)
        scene_once(tally, binary, folder, luigi, proxy, chat)
        tally.equal("once posts nothing", len(chat.accepted()), 0)
        luigi.script("stop")
        luigi.script("start", LUIGI_TASKS="0", LUIGI_REMOVE_DELAY="10")
        scene_run(tally, children, binary, folder, luigi, proxy, chat)
        scene_methods(tally, proxy)
        figure("whole test, s", round(time.monotonic() - began))
    return tally.close()


if __name__ == "__main__":
    raise SystemExit(main())
