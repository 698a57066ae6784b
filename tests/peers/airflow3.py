#!/usr/bin/env python3
"""dawnwatch against a real Airflow 3 and a strict fake chat.

usage: airflow3.py --bin PATH [--shared ../shared] [--home DIR]

`once` must say of each check what that Airflow knows, in two time zones; `run` must tell each cause once, also over a kill -9,
and stop well; an Airflow that is gone must be unknown, never failed. Passes at any hour: deadlines are set from the clock.
The last line is "N passed, N failed". HOME keeps Airflow's installation between calls; nothing else is kept or left running.
"""
import datetime as dt
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from zoneinfo import ZoneInfo

from agent_scenes import Agent, scene_dark, scene_run, scene_secrets
from airflow_peer import checks, compared, moment, settings
from airflow_truth import MANY, Airflow
from peerlib import Children, CountingProxy, FakeChat, Tally, figure, free_port, once_json, options

SECRETS = {"AIRFLOW_PASSWORD": "watch-pw", "BACKUP_HOOK_SECRET": "hmac-not-to-be-seen", "hook": "HOOK-not-to-be-seen"}
# Checks by name: `broken_import` is a file that never loaded, so Airflow has no such DAG.
EXAMPLES = ["sales_daily", "dashboard_on_asset", "half_failed", "doomed_run", "logs_up_for_retry", "queued_behind",
            "waits_for_file", "skipped_today", "never_run", "paused_weekly", "empty_owner_utc", "kst_dashboard",
            "breaks_later", "broken_import"]
DASHBOARDS = {"mart": ["group:generated", "sales_daily"], "orders": ["orders_failing"], "soon": ["clicks_long_running"],
              "rest": EXAMPLES[1:], "past": ["orders_failing", "sales_daily"]}


class Config:
    """One config folder. Each dashboard is due on one date, at a time counted from now, in a window of the two days before."""

    def __init__(self, folder, zone, airflow_url, chat_url, store=None, every="2s", soon_at=None):
        self.folder, self.zone, self.port = folder, ZoneInfo(zone), free_port()
        now = dt.datetime.now(dt.timezone.utc)
        far, past = now + dt.timedelta(hours=6), now - dt.timedelta(hours=1)
        due = {name: far for name in DASHBOARDS} | {"past": past, "soon": soon_at or far}
        self.deadline = {name: at.replace(second=0, microsecond=0) for name, at in due.items()}
        folder.mkdir(parents=True)
        text = [*settings(zone, store or folder / "watch.db", self.port, airflow_url, every, "20s"),
                '[groups.generated]\nsource = "airflow"\nmatch = { tags = ["generated"] }',
                '[chats.team]\nkind = "slack"\nurl = { env = "SLACK_WEBHOOK_URL" }\nfallback = "backup"',
                '[chats.backup]\nkind = "webhook"\nurl = { env = "BACKUP_HOOK_URL" }\nsecret = { env = "BACKUP_HOOK_SECRET" }']
        text += checks([*EXAMPLES, "orders_failing", "clicks_long_running"])
        text += [self.dashboard(name, needs) for name, needs in DASHBOARDS.items()]
        (folder / "dawnwatch.toml").write_text("\n\n".join(text) + "\n")
        self.env = {name: SECRETS[name] for name in ("AIRFLOW_PASSWORD", "BACKUP_HOOK_SECRET")}
        self.env["SLACK_WEBHOOK_URL"] = f"{chat_url}/slack/services/T/B/{SECRETS['hook']}"
        self.env["BACKUP_HOOK_URL"] = f"{chat_url}/generic/{SECRETS['hook']}"

    def dashboard(self, name, needs):
        local = self.deadline[name].astimezone(self.zone)
        return (f'[dashboards.{name}]\nname = "The {name} board"\nneeds = {json.dumps(needs)}\ntell = ["team", "backup"]\n'
                f'on = "{local.day} {local.month} *"\nready_by = "{local:%H:%M}"\ncounts_from = "-2d 00:00"')

    def opens(self, name):
        local = self.deadline[name].astimezone(self.zone)
        midnight = dt.datetime.combine(local.date() - dt.timedelta(days=2), dt.time(), self.zone)
        return midnight.astimezone(dt.timezone.utc)


def expectations(config, world):
    """(check, dashboard) → (verdicts, arrivals), for every pair that must be told."""
    tagged = lambda row: not row["is_stale"] and any(t["name"] == "generated" for t in row["tags"])  # noqa: E731
    generated = sorted(dag for dag, row in world.dags.items() if tagged(row))
    out = {}
    for dashboard, needs in DASHBOARDS.items():
        for check in [c for need in needs for c in (generated if need == "group:generated" else [need])]:
            told = world.expected(check, config.opens(dashboard))
            out[check, dashboard] = (("not_watched",), None) if dashboard == "past" else told
    return out


def once(binary, config):
    """Exit code, the object it printed, seconds."""
    return once_json(binary, config.folder, config.env, SECRETS.values(), timeout=120)


def scene_check(tally, binary, config):
    """The config is accepted without any secret being set; a slip of the pen is refused with its place."""
    plain = {k: v for k, v in os.environ.items() if k not in config.env}
    ask = lambda folder: subprocess.run([binary, "check", "--config", folder], env=plain, stdin=subprocess.DEVNULL,  # noqa: E731
                                        capture_output=True, text=True, timeout=30)
    good = ask(config.folder)
    tally.expect("check accepts the config with no secret set", good.returncode == 0, good.stdout + good.stderr)
    wrong = config.folder.parent / "wrong"
    wrong.mkdir()
    text = (config.folder / "dawnwatch.toml").read_text()
    (wrong / "dawnwatch.toml").write_text(text.replace("ready_by", "redy_by", 1).replace('"sales_daily"]', '"sales_dayly"]', 1))
    bad = ask(wrong)
    words = bad.stdout + bad.stderr
    tally.equal("check refuses a wrong one with 78", bad.returncode, 78)
    named = [w for w in ("redy_by", "sales_dayly", "dawnwatch.toml:") if w in words]
    tally.expect("and names both slips with their places", len(named) == 3, words)


def scene_once(tally, binary, airflow, proxy, folder, chat, zone):
    """Each verdict against what the Airflow itself knows."""
    config_of = lambda n: Config(folder / f"once-{zone.replace('/', '-')}-{n}", zone, proxy.url, chat.url)  # noqa: E731
    truth_of = lambda config: expectations(config, airflow.world())  # noqa: E731
    config, before, (code, told, took), passed_by = compared(proxy, config_of, truth_of, lambda config: once(binary, config))
    tally.equal(f"{zone}: once finds something", code, 1)
    rows = {}
    for row in told["verdicts"]:
        rows.setdefault((row["check"], row["dashboard"]), []).append(row)
    twice = [pair for pair, r in rows.items() if len(r) > 1]
    tally.expect(f"{zone}: one verdict for each check and dashboard", not twice, twice[:5])
    tally.equal(f"{zone}: nothing missing, nothing more", sorted(set(before) ^ set(rows))[:8], [])
    compare(tally, zone, config, before, {pair: r[0] for pair, r in rows.items()})
    compare_dashboards(tally, zone, config, before, told)
    if zone == "UTC":
        return
    requests, size = traffic(passed_by)
    figure("once, 300 generated DAGs: requests, bytes of bodies, seconds", f"{requests}, {size}, {took:.2f}")
    cost = requests - causes(passed_by)
    tally.expect("once costs at most 16 requests, failures' causes not counted", cost <= 16, shape(passed_by))


def compare(tally, zone, config, expected, rows):
    """The 300 generated ones in one line, the examples in one line each."""
    wrong = {}
    for pair, (verdicts, arrivals) in expected.items():
        row = rows.get(pair, {})
        held = row.get("verdict") in verdicts
        if held and row["verdict"] == "ready":
            held = arrivals is not None and moment(row["arrived_at"]) in arrivals
        if held and row["verdict"] not in ("ready", "not_watched"):
            held = row.get("arrived_at") is None and bool(row.get("reason"))
        held = held and moment(row["deadline"]) == config.deadline[pair[1]]
        if not held:
            wrong[pair] = f"told {row}, wanted {verdicts} {[str(a) for a in arrivals or ()]} by {config.deadline[pair[1]]}"
    generated = [p for p in expected if p[0].startswith("pipeline_")]
    missed = [wrong[p] for p in generated if p in wrong]
    what = f"{zone}: {len(generated)} generated pipelines as Airflow knows them"
    tally.expect(what, len(generated) >= MANY and not missed, f"{len(missed)} differ: {missed[:3]}")
    for pair in sorted(set(expected) - set(generated)):
        tally.expect(f"{zone}: {pair[1]} · {pair[0]} is {'/'.join(expected[pair][0])}", pair not in wrong, wrong.get(pair))
    for check, word in (("paused_weekly", "paus"), ("breaks_later", "import")):
        reason = rows.get((check, "rest"), {}).get("reason", "")
        tally.expect(f"{zone}: {check} says why it has not arrived", word in reason.lower(), reason)


def compare_dashboards(tally, zone, config, expected, told):
    """A dashboard takes the worst of what it needs; the sets of acceptable words give a set of acceptable ones."""
    order = ["ready", "on_track", "at_risk", "late", "unknown", "failed"]
    rows = {row["id"]: row for row in told["dashboards"]}
    for name in DASHBOARDS:
        row = rows.get(name, {})
        if name == "past":
            tally.equal(f"{zone}: a deadline before the watch began is", row.get("verdict"), "not_watched")
            continue
        needs = [verdicts for (_, d), (verdicts, _) in expected.items() if d == name]
        floor = max(order.index(v[0]) for v in needs)
        top = max(order.index(v[-1]) for v in needs)
        tally.expect(f"{zone}: dashboard {name} takes the worst of its needs", row.get("verdict") in order[floor:top + 1], row)
        tally.expect(f"{zone}: dashboard {name} has its deadline", row and moment(row["deadline"]) == config.deadline[name], row)
    causes_told = {i["cause"] for i in told["incidents"]}
    wanted = {"orders_failing", "half_failed", "doomed_run", "pipeline_010"}
    named = causes_told | {c for i in told["incidents"] for c in i["checks"]}
    tally.expect(f"{zone}: every failure is in an incident", wanted <= named, sorted(causes_told))


def traffic(requests):
    return len(requests), sum(size for *_, size in requests)


def causes(requests):
    """Requests about one run's failure: they are outside the budget of a sweep."""
    return sum("/taskInstances" in path and "/dags/~/" not in path for _, _, path, *_ in requests)


def shape(requests):
    return [(method, path.split("?")[0], status) for _, method, path, status, _ in requests]


def scene_history(tally, binary, config):
    """What this Airflow knows of its own runs, played again and judged: the two commands count alike."""
    today = dt.datetime.now(config.zone).date()
    days = ["--from", str(today - dt.timedelta(days=2)), "--to", str(today)]

    def asked(command, form):
        argv = [binary, command, "--config", config.folder, "--from-source", "airflow", *days, "--format", form]
        done = subprocess.run(argv, env={**os.environ, **config.env}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=120)
        tally.equal(f"{command} --from-source ends with", (done.returncode, done.stderr if done.returncode else ""), (0, ""))
        return done.stdout

    card = json.loads(asked("backtest", "json"))
    played = [json.loads(line) for line in asked("replay", "jsonl").splitlines()]
    # `soon` waits for a run that takes long, and is over.
    tally.expect("the card of what this Airflow ran has the deadline that was missed", card["misses"] >= 1, card)
    # The card leaves out what nobody saw: `past` was over before this Airflow's first run.
    left_out = played[-1]["misses"] - card["misses"]
    tally.expect("and as many as a replay of the same runs, but for those that nobody saw", 0 <= left_out <= card["unseen"],
                 (played[-1], card))


def main():
    (binary, shared, home), tally = options(__doc__), Tally()
    with tempfile.TemporaryDirectory(prefix="dawnwatch-peers-") as folder, Children(Path(folder)) as children:
        folder, began = Path(folder), time.monotonic()
        airflow = Airflow(shared, home or folder / "airflow", free_port())
        children.later(airflow.stop)
        airflow.begin(began)
        proxy, chat = CountingProxy(airflow.port), FakeChat(children, shared, SECRETS["BACKUP_HOOK_SECRET"])
        children.later(proxy.close)
        figure("binary, bytes", binary.stat().st_size)

        scene_check(tally, binary, Config(folder / "plain", "Asia/Seoul", proxy.url, chat.url))
        for zone in ("Asia/Seoul", "UTC"):
            scene_once(tally, binary, airflow, proxy, folder, chat, zone)
        tally.equal("once posts nothing", len(chat.accepted() + chat.accepted("generic")), 0)

        # Whole minutes, at least 75 s ahead: late enough for the kill and the restart to come first.
        soon = dt.datetime.now(dt.timezone.utc) + dt.timedelta(seconds=135)
        config = Config(folder / "run", "Asia/Seoul", proxy.url, chat.url, every="5s", soon_at=soon)
        rival = Config(folder / "rival", "Asia/Seoul", proxy.url, chat.url, store=folder / "run" / "watch.db")
        agent = Agent(children, binary, config)
        scene_run(tally, agent, rival, airflow, proxy, chat, causes)
        scene_history(tally, binary, config)
        scene_dark(tally, agent, airflow, chat, lambda name: once(binary, Config(folder / name, "Asia/Seoul", proxy.url, chat.url)))
        scene_secrets(tally, agent, chat, SECRETS.values())
        figure("whole test, s", round(time.monotonic() - began))
    return tally.close()


if __name__ == "__main__":
    raise SystemExit(main())
