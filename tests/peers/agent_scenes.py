"""The scenes of a running agent: told once over kills and restarts, a heal, a deadline that passes, a dead scheduler, a dark
source. Each takes the tally and what it needs, and leaves the world to the next one."""
import datetime as dt
import json
import signal
import statistics
import time

from peerlib import bursts, figure, http_json, http_text, until

FAILURES = ("orders_failing", "half_failed", "doomed_run", "pipeline_010")
SOON = "clicks_long_running"  # its dashboard's deadline passes while we look
GAP_S = 1.5  # between two sweeps there is more, within one there is less


class Agent:
    """`dawnwatch run` on one store; may be started again and again."""

    def __init__(self, children, binary, config):
        self.children, self.binary, self.config = children, binary, config
        self.url, self.lives, self.pages = f"http://127.0.0.1:{config.port}", [], []

    def spawn(self, config):
        argv = [self.binary, "run", "--config", config.folder, "--format", "json"]
        self.lives.append(self.children.start(f"run-{len(self.lives)}", argv, config.env))
        return self.lives[-1]

    def start(self):
        """Seconds until every source was asked once; None where that did not come."""
        began = time.monotonic()
        self.child = self.spawn(self.config)
        ready = until(60, lambda: self.child.process.poll() is not None or self.page("/readyz")[0] == 200, 0.02)
        return time.monotonic() - began if ready and self.child.process.poll() is None else None

    def page(self, path):
        answer = http_text(self.url + path)
        self.pages.append(answer[1])
        return answer

    def kill(self):
        self.child.send(signal.SIGKILL)
        self.child.wait(5)

    def everything_said(self):
        return "\n".join([life.said() for life in self.lives] + self.pages)

    def last_words(self):
        return self.child.said()[-1500:]


def calm(chat, quiet_s=8, most_s=60):
    """Waits until nothing was posted for a while."""
    end = time.monotonic() + most_s
    count, since = -1, time.monotonic()
    while time.monotonic() < end and time.monotonic() - since < quiet_s:
        now = len(chat.log("slack")) + len(chat.log("generic"))
        if now != count:
            count, since = now, time.monotonic()
        time.sleep(0.3)


def others(chat, platform):
    """Texts of accepted messages, those about the near deadline left out."""
    near = [r["t"] for r in chat.about(SOON, platform)]
    return [r["payload"] for r in chat.accepted(platform) if r["t"] not in near]


def scene_run(tally, agent, rival, airflow, proxy, chat, causes):
    mark, took = proxy.mark(), agent.start()
    if not tally.expect("run becomes ready", took is not None, agent.last_words()):
        raise SystemExit("no running agent, nothing more to look at")
    figure("run: process start to first verdicts, s", round(took, 2))
    first = bursts(proxy.since(mark), GAP_S)[0]
    scene_told(tally, agent, chat)
    scene_pages(tally, agent)
    scene_cost(tally, agent, proxy, mark, first, causes)
    scene_rival(tally, agent, rival)
    scene_kill(tally, agent, chat)
    scene_heal(tally, agent, airflow, chat)
    scene_deadline(tally, agent, chat)


def scene_told(tally, agent, chat):
    for name in FAILURES:
        tally.expect(f"{name} is told within 40 s", until(40, lambda: chat.about(name)), agent.last_words())
    calm(chat)
    for platform in ("slack", "generic"):
        for name in FAILURES:
            tally.equal(f"{platform}: {name} is told in one message", len(chat.about(name, platform)), 1)
        refused = [(r["status"], r["problems"]) for r in chat.log(platform) if not r["accepted"] and r["status"] != 429]
        tally.equal(f"{platform}: no message was refused", refused, [])
    figure("messages so far (slack, generic)", f"{len(chat.accepted())}, {len(chat.accepted('generic'))}")


def scene_pages(tally, agent):
    for path in ("/healthz", "/readyz", "/metrics", "/"):
        status, text = agent.page(path)
        tally.expect(f"{path} answers", status == 200 and text.strip(), f"{status} {text[:200]}")
    for line in agent.page("/metrics")[1].splitlines():
        if line.startswith("dawnwatch_source_") and not line.startswith("#"):
            figure("metric", line)


def scene_cost(tally, agent, proxy, mark, first, causes):
    until(30, lambda: len(bursts(proxy.since(mark), GAP_S)) >= 6, 0.5)
    steady = bursts(proxy.since(mark), GAP_S)[2:-1]  # the last one may not be over yet
    size = lambda sweep: (len(sweep), sum(r[4] for r in sweep))  # noqa: E731
    figure("first sweep with the listing: requests, bytes of bodies", "%d, %d" % size(first))
    tally.expect("the start costs at most 16 requests", size(first)[0] - causes(first) <= 16, [r[2] for r in first])
    if tally.expect("steady sweeps were seen", len(steady) >= 3, len(steady)):
        middle = statistics.median_low(size(s) for s in steady)
        figure("steady sweep (median): requests, bytes of bodies", "%d, %d" % middle)
        worst = max(steady, key=len)  # no cause is left to be fetched by now, so all requests count
        tally.expect("a steady sweep costs at most 4 requests", len(worst) <= 4, [r[1:4] for r in worst])
    figure("resident memory of run, 316 checks, KiB", agent.child.rss_kib())


def scene_rival(tally, agent, rival):
    child = agent.spawn(rival)
    code, said = child.wait(15), child.said()[-800:]
    tally.equal("a second agent on the same store is refused", code, 3)
    tally.expect("with a sentence, not a panic", "panicked" not in said and "store" in said.lower(), said)
    child.send(signal.SIGKILL)
    tally.equal("and the first one goes on", agent.page("/healthz")[0], 200)


def scene_kill(tally, agent, chat):
    before = {p: others(chat, p) for p in ("slack", "generic")}
    agent.kill()
    took = agent.start()
    tally.expect("after kill -9 it starts again on the same store", took is not None, agent.last_words())
    calm(chat, quiet_s=12)
    for platform, had in before.items():
        more = others(chat, platform)[len(had):]
        tally.equal(f"{platform}: nothing is told twice after the restart", more, [])


def scene_heal(tally, agent, airflow, chat):
    """The cause heals; the agent is killed while the chat has taken the good news and not yet answered."""
    before = len(chat.about("orders_failing"))
    http_json("POST", chat.url + "/_ctl", {"platform": "slack", "then": ["accept-hang:15"]})
    airflow.set_state("orders_failing", airflow.newest("orders_failing", "scheduled")["dag_run_id"], "success")
    if not tally.expect("a heal is told", until(75, lambda: len(chat.about("orders_failing")) > before), agent.last_words()):
        return
    agent.kill()
    tally.expect("after a kill in mid-send it starts again", agent.start() is not None, agent.last_words())
    calm(chat, quiet_s=12)
    news = [r["payload"].get("text", "") for r in chat.about("orders_failing")[before:]]
    tally.expect("the heal is told at most twice, in the same words", len(news) <= 2 and len(set(news)) == 1, news)


def scene_deadline(tally, agent, chat):
    deadline = agent.config.deadline["soon"]
    left = (deadline - dt.datetime.now(dt.timezone.utc)).total_seconds()
    told = until(max(left, 0) + 15, lambda: [r for r in chat.about(SOON) if r["t"] >= deadline.timestamp()], 0.5)
    tally.expect("a miss is told by its deadline", chat.about(SOON), agent.last_words())
    figure("told again when the deadline had passed", bool(told))
    tally.expect("and in at most three messages", len(chat.about(SOON)) <= 3, [r["payload"].get("text") for r in chat.about(SOON)])
    tally.equal("a deadline before the watch began is never told", chat.about("The past board"), [])


def scene_dark(tally, agent, airflow, chat, look):
    """`look(name)` runs `once` on a new store and gives (exit code, object, seconds)."""
    airflow.stop_part("scheduler")
    dead = until(60, lambda: not airflow.healthy("scheduler"), 1)
    tally.expect("Airflow itself says that its scheduler is gone", dead)
    _, told, _ = look("scheduler-dead")
    named = [i["cause"] for i in told["incidents"] if i["cause"].startswith("scheduler")]
    tally.expect("a dead scheduler is a cause of its own", named, [i["cause"] for i in told["incidents"]])

    before = len(chat.accepted())
    airflow.stop_part("server")
    code, told, _ = look("dark")
    tally.equal("once on a dark source could not look", code, 3)
    words = {row["verdict"] for row in told["verdicts"] if row["dashboard"] != "past"}
    tally.equal("what cannot be seen is unknown, neither failed nor ready", words, {"unknown"})
    tally.equal("and so is each dashboard", {d["verdict"] for d in told["dashboards"] if d["id"] != "past"}, {"unknown"})
    until(12, lambda: agent.child.process.poll() is not None, 1)
    tally.expect("the agent lives on beside a dark source", agent.child.process.poll() is None and agent.page("/healthz")[0])
    later = [r["payload"].get("text", "") for r in chat.accepted()[before:]]
    tally.expect("and calls nothing failed for it", not [t for t in later if "fail" in t[:16].lower()], later)  # the verdict is first

    began = time.monotonic()
    agent.child.send(signal.SIGTERM)
    tally.equal("SIGTERM ends it with 0", agent.child.wait(12), 0)
    took = time.monotonic() - began
    tally.expect("within 10 s", took <= 10, took)
    figure("SIGTERM to exit, s", round(took, 2))
    tally.expect("no life of it panicked", "panicked" not in agent.everything_said())


def scene_secrets(tally, agent, chat, secrets):
    """In no log, page, metric or message. A JWT begins with eyJ."""
    said = agent.everything_said() + json.dumps([r["payload"] for p in ("slack", "generic") for r in chat.log(p)])
    tally.equal("no secret was said anywhere", [s for s in (*secrets, "eyJ") if s in said], [])
