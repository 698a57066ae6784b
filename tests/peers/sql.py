#!/usr/bin/env python3
"""dawnwatch against a real PostgreSQL.

usage: sql.py --bin PATH [--shared ../shared] [--home DIR]

Every kind of value must come out as the instant that the server means; what is no time, no table, no right, no end or no password
must be unknown, each with its own words; nothing that stands as a query may change anything. The connection is kept between sweeps,
never within a transaction, and made anew when it dies. Passes at any hour. The last line is "N passed, N failed".
"""
import datetime as dt
import os
import subprocess
import tempfile
from pathlib import Path
from zoneinfo import ZoneInfo

from peerlib import Children, Tally, board, figure, free_port, http_text, once_json, options, script, until

SEOUL = ZoneInfo("Asia/Seoul")
PASSWORD = "not-to-be-seen"
MANY = 300
# Loaded a moment ago: `at` in every type that a warehouse uses. A function that writes, 300 rows for checks by rows, and a role that may
# do everything with them: only the session holds it back.
SEED = """
drop table if exists live, touched, many; drop function if exists writes(); drop sequence if exists numbers;
create table live (at timestamptz, local timestamp, day date, epoch numeric, ms bigint, secs double precision, words text);
insert into live select at, at at time zone 'Asia/Seoul', (at at time zone 'Asia/Seoul')::date, extract(epoch from at),
  (extract(epoch from at) * 1000)::bigint, extract(epoch from at), at::text
  from (select '{at}'::timestamptz as at) as now;
create table touched (at timestamptz); create sequence numbers;
create function writes() returns timestamptz language sql volatile as 'insert into touched values (now()) returning at';
create table many (id text, at timestamptz); insert into many select 'row_' || n, '{at}' from generate_series(0, {many} - 1) as n;
do $$ begin create role agent login; exception when duplicate_object then null; end $$;
alter role agent password '{password}'; grant all on all tables in schema public to agent; grant all on sequence numbers to agent;
"""


class Postgres:
    def __init__(self, shared, home):
        self.shared, self.home, self.port = shared, home, free_port()
        script(shared, "postgres.sh", "start", self.port, home)

    def psql(self, text):
        env = {**os.environ, "PGPASSWORD": "secret"}
        argv = ["psql", "-qXAt", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port), "-U", "watch", "-d", "postgres"]
        return subprocess.run(argv, input=text, env=env, capture_output=True, text=True, timeout=60, check=True).stdout.strip()

    def url(self, user="agent", password=PASSWORD, database="postgres", port=None):
        return f"postgres://{user}:{password}@127.0.0.1:{port or self.port}/{database}"

    def stop(self):
        script(self.shared, "postgres.sh", "stop", self.port, self.home)


def source(name, env, query=None, zone="Asia/Seoul", timeout="10s", every="60s"):
    lines = [f"[sources.{name}]", 'kind = "sql"', f'url = {{ env = "{env}" }}', f'timeout = "{timeout}"', f'every = "{every}"']
    lines += [f'timezone = "{zone}"'] if zone else []
    lines += [f'query = "{query}"'] if query else []
    return "\n".join(lines)


def config(folder, name, sources, checks, more=""):
    """A config file with one dashboard that needs all checks: name → (source, query or nothing)."""
    text = ['timezone = "Asia/Seoul"', 'tell = ["team"]', f'[store]\npath = "{name}.db"', *sources]
    for check, (of, query) in checks.items():
        text.append(f'[checks.{check}]\nsource = "{of}"' + (f"\nquery = '''{query}'''" if query else ""))
    text.append(board(list(checks), SEOUL)[0])
    path = folder / f"{name}.toml"
    path.write_text("\n\n".join(text) + "\n" + more)
    return path


def scene_values(tally, binary, folder, env, at):
    midnight = at.astimezone(SEOUL).replace(hour=0, minute=0, second=0, microsecond=0)
    whole_ms = at.replace(microsecond=at.microsecond // 1000 * 1000)
    ready = {
        "exact": ("select max(at) from live", at),
        "local": ("select max(local) from live", at),
        "cast": ("select max(at)::timestamp from live", at),
        "day": ("select max(day) from live", midnight),
        "numeric": ("select max(epoch) from live", at),
        "ms": ("select max(ms) from live", whole_ms),
        "float": ("select max(secs) from live", at),
        "words": ("select max(words) from live", at),
        "written": ("select to_char(max(local), 'YYYY-MM-DD HH24:MI:SS.US') from live;", at),
        "of_cte": ("with newest as (select max(at) as at from live) select at from newest -- the newest", at),
    }
    unknown = {
        "infinite": ("select max(updated_at) from never_ends", "infinity"),
        "no_time": ("select 'soon'", "no time"),
        "odd": ("select '\\x00'::bytea", "BYTEA"),
        "number": ("select 20260104", "no time"),
        "no_table": ("select max(at) from no_such", "42P01"),
        "no_column": ("select max(nope) from live", "42703"),
        "two_rows": ("select id from orders", "more than one row"),
        "two_columns": ("select at, day from live", "2 columns"),
        "no_query": ("values (1); drop table live", "42601"),
        "writes": ("select writes()", "25006"),
        "counts": ("select nextval('numbers')", "25006"),
        "unlocks": ("select set_config('transaction_read_only', 'off', false)", "25001"),
        "endless": ("select updated_at from slow", "did not end within 2 s"),
    }
    nothing = {"empty": "select max(updated_at) from empty_table", "no_row": "select updated_at from empty_table",
               # Asked before `endless`, whose time-out holds all the same.
               "timeless": "select set_config('statement_timeout', '0', false)"}
    checks = {name: ("warehouse", query) for name, (query, _) in {**ready, **unknown}.items()}
    checks |= {name: ("warehouse", query) for name, query in nothing.items()}
    checks["last"] = ("warehouse", "select max(at) + interval '0' from live")
    path = config(folder, "values", [source("warehouse", "WAREHOUSE_URL", timeout="2s")], checks)
    code, told, took = once_json(binary, path, env, [PASSWORD])
    rows = {row["check"]: row for row in told["verdicts"]}
    tally.equal("once finds something", code, 1)
    tally.equal("the source was seen", told["unseen"], [])
    for name, (_, wanted) in {**ready, "last": (None, at)}.items():
        row = rows[name]
        got = row["arrived_at"] and dt.datetime.fromisoformat(row["arrived_at"])
        near = got is not None and abs((got - wanted).total_seconds()) < (0.000002 if name == "float" else 0.0000001)
        tally.expect(f"{name} has arrived at its instant", row["verdict"] == "ready" and near, f"{row}, wanted {wanted}")
    for name, (_, words) in unknown.items():
        row = rows[name]
        tally.expect(f"{name} is unknown: {words}", row["verdict"] == "unknown" and words in row["reason"], row)
    for name in nothing:
        tally.expect(f"{name} is no data", rows[name]["reason"].endswith("there is no data") and not rows[name]["arrived_at"], rows[name])
    figure("once with 27 queries, one of which runs into its time-out of 2 s, s", round(took, 2))


def scene_nothing_changed(tally, postgres):
    tally.equal("no query has written", postgres.psql("select count(*) from touched"), "0")
    tally.equal("nor dropped anything", postgres.psql("select count(*) from live"), "1")
    tally.equal("nor counted", postgres.psql("select is_called from numbers"), "f")


def scene_dark(tally, binary, folder, env, postgres):
    """Each source that cannot be seen says why; one without a zone sees what has one."""
    env = {**env, "WRONG_URL": postgres.url(password="wrong-one"), "NOWHERE_URL": postgres.url(database="nowhere"),
           "GONE_URL": postgres.url(port=free_port()), "READER_URL": postgres.url("reader", "reader"),
           "TLS_URL": postgres.url() + "?sslmode=require"}
    query = "select max(at) from live"
    checks = {"wrong": ("wrong", query), "nowhere": ("nowhere", query), "gone": ("gone", query), "tls": ("tls", query),
              "broken": ("broken", None), "denied": ("reader", query), "allowed": ("reader", "select max(updated_at) from orders"),
              "zoneless": ("zoneless", "select max(local) from live"), "zoned": ("zoneless", query)}
    sources = [source(name, f"{name.upper()}_URL") for name in ("wrong", "nowhere", "gone", "reader", "tls")]
    sources += [source("zoneless", "WAREHOUSE_URL", zone=None), source("broken", "WAREHOUSE_URL", "select id, at from no_such")]
    code, told, _ = once_json(binary, config(folder, "dark", sources, checks), env, [PASSWORD, "wrong-one"])
    rows, unseen = {row["check"]: row for row in told["verdicts"]}, {row["source"]: row for row in told["unseen"]}
    tally.equal("once could not look everywhere", code, 3)
    wanted = {"wrong": ("Auth", "password authentication failed"), "nowhere": ("Status", "does not exist"),
              "gone": ("Connect", "refused"), "tls": ("Tls", "TLS"), "broken": ("Status", "42P01")}
    tally.equal("these cannot be seen", sorted(unseen), sorted(wanted))
    for name, (why, words) in wanted.items():
        row = unseen.get(name, {})
        tally.expect(f"{name}: {why}", row.get("why") == why and words in row.get("detail", ""), row)
        tally.equal(f"{name} is unknown", rows[name]["verdict"], "unknown")
    tally.expect("a right that lacks is named", "42501" in rows["denied"]["reason"], rows["denied"])
    tally.expect("what is allowed is seen", "the newest is of" in rows["allowed"]["reason"], rows["allowed"])
    tally.expect("a time without a zone names the key", "timezone" in rows["zoneless"]["reason"], rows["zoneless"])
    tally.equal("and one with a zone needs no key", rows["zoned"]["verdict"], "ready")


def scene_many(tally, binary, folder, env):
    few = {"row_0": ("rows", None)}
    _, _, base = once_json(binary, config(folder, "one", [source("rows", "WAREHOUSE_URL", "select id, at from many")], few), env)
    by_rows = {f"row_{n}": ("rows", None) for n in range(MANY)}
    single = {f"row_{n}": ("each", f"select at from many where id = 'row_{n}'") for n in range(MANY)}
    for what, of, query, checks in (("rows", "rows", "select id, at from many", by_rows), ("queries", "each", None, single)):
        code, told, took = once_json(binary, config(folder, what, [source(of, "WAREHOUSE_URL", query)], checks), env)
        ready = sum(row["verdict"] == "ready" for row in told["verdicts"])
        tally.equal(f"{MANY} checks by {what}: all ready", (code, ready), (0, MANY))
        figure(f"once with {MANY} {what} (with one row: {base:.2f} s), s", round(took, 2))


def scene_kept(tally, binary, children, folder, env, postgres):
    """The agent asks every second over one connection; when that is ended, it makes another."""
    port = free_port()
    path = config(folder, "kept", [source("warehouse", "WAREHOUSE_URL", every="1s")], {"live": ("warehouse", "select max(at) from live")},
                  f'[web]\nlisten = "127.0.0.1:{port}"\n')
    agent = children.start("agent", [binary, "run", "--config", path], env)
    ours = lambda what: postgres.psql(f"select {what} from pg_stat_activity where application_name = 'dawnwatch'")  # noqa: E731
    asked = lambda: postgres.psql("select extract(epoch from max(query_start)) from pg_stat_activity where application_name = 'dawnwatch'")  # noqa: E731
    tally.expect("the agent connects", until(30, lambda: ours("count(*)") == "1"), agent.said())
    first, pids = asked(), ours("pid")
    tally.expect("and asks again", until(10, lambda: asked() not in (first, "")), agent.said())
    tally.equal("over the same connection", ours("pid"), pids)
    tally.expect("which holds no transaction between sweeps", until(10, lambda: ours("state") == "idle"), ours("state, query"))
    ours("pg_terminate_backend(pid)")
    tally.expect("a connection that was ended is made anew", until(15, lambda: ours("pid") not in (pids, "")), agent.said())
    status, page = http_text(f"http://127.0.0.1:{port}/metrics")
    tally.expect("and the source was never dark", status == 200 and "dawnwatch_polls_unanswered_total 0" in page, page[:3000])


def main():
    (binary, shared, home), tally = options(__doc__), Tally()
    with tempfile.TemporaryDirectory(prefix="dawnwatch-peers-") as folder, Children(Path(folder)) as children:
        folder = Path(folder)
        folder.chmod(0o755)  # the server runs as a user of its own
        home = (home or folder / "postgres").resolve()
        home.mkdir(parents=True, exist_ok=True)
        postgres = Postgres(shared, home)
        children.later(postgres.stop)
        at = dt.datetime.now(dt.timezone.utc) - dt.timedelta(minutes=3)
        at = at.replace(microsecond=at.microsecond // 1000 * 1000 + 123)
        postgres.psql(SEED.format(at=at.isoformat(), many=MANY, password=PASSWORD))
        env = {"WAREHOUSE_URL": postgres.url()}
        scene_values(tally, binary, folder, env, at)
        scene_dark(tally, binary, folder, env, postgres)
        scene_many(tally, binary, folder, env)
        scene_kept(tally, binary, children, folder, env, postgres)
        scene_nothing_changed(tally, postgres)
    return tally.close()


if __name__ == "__main__":
    raise SystemExit(main())
