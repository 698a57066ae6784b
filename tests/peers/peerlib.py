"""Parts that the tests against real systems share: a tally, HTTP with JSON, child processes, a counting proxy, a fake chat.

Standard library only. Everything listens on loopback, every wait has an end, and `Children` ends what was started.
"""
import argparse
import datetime as dt
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


def options(doc):
    """The command line that the tests against real systems have in common."""
    ap = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--bin", required=True, type=Path)
    ap.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[3] / "shared")
    ap.add_argument("--home", type=Path)
    opt = ap.parse_args()
    return opt.bin.resolve(), opt.shared.resolve(), opt.home


class Tally:
    """Counts what held and what did not; one line each."""

    def __init__(self):
        self.passed = self.failed = 0

    def expect(self, what, held, detail=""):
        self.passed, self.failed = self.passed + bool(held), self.failed + (not held)
        print(("  ok    " if held else "  FAIL  ") + what + (f": {detail}" if detail and not held else ""), flush=True)
        return bool(held)

    def equal(self, what, got, wanted):
        return self.expect(what, got == wanted, f"got {got!r}, wanted {wanted!r}")

    def close(self):
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return 1 if self.failed else 0


def figure(what, value):
    print(f"  figure  {what}: {value}", flush=True)


def until(seconds, question, pause=0.2):
    """Asks until the answer is true or the time is over; returns the last answer."""
    end = time.monotonic() + seconds
    while not (answer := question()) and time.monotonic() < end:
        time.sleep(pause)
    return answer


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def http_json(method, url, body=None, headers=None, timeout=60):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **(headers or {})}, method=method)
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        return json.loads(answer.read() or b"null")


def http_text(url, timeout=5):
    """Status and text; 0 where nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            return answer.status, answer.read().decode(errors="replace")
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode(errors="replace")
    except OSError as e:
        return 0, str(e)


class Child:
    """A process of ours, with what it says in two files."""

    def __init__(self, name, argv, folder, env=None):
        self.name, self.out, self.err = name, folder / f"{name}.out", folder / f"{name}.err"
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=env)

    def said(self):
        return self.out.read_text(errors="replace") + self.err.read_text(errors="replace")

    def wait(self, seconds):
        """The exit code; None while it still runs."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def send(self, number):
        if self.process.poll() is None:
            self.process.send_signal(number)

    def rss_kib(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


class Children:
    """Ends its processes, and calls what was added with `later`, in reverse order, also after a failure or a signal."""

    def __init__(self, folder):
        self.folder, self.ends = folder, []

    def __enter__(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda n, _frame: sys.exit(128 + n))
        return self

    def start(self, name, argv, env=None):
        child = Child(name, [str(a) for a in argv], self.folder, {**os.environ, **(env or {})})
        self.later(lambda: (child.send(signal.SIGKILL), child.wait(5)))
        return child

    def later(self, end):
        self.ends.append(end)

    def __exit__(self, *_):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # we are ending already
        for end in reversed(self.ends):
            try:
                end()
            except Exception as e:  # the next one is to be ended all the same
                print(f"  could not clean up: {e}", file=sys.stderr)


class CountingProxy:
    """Stands before a server and counts requests and bytes of bodies as they pass, compressed or not."""

    def __init__(self, port):
        self.seen, lock = [], threading.Lock()
        seen = self.seen

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            log_message = lambda *_: None  # noqa: E731

            def forward(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or None
                headers = {k: v for k, v in self.headers.items() if k.lower() not in ("connection", "host")}
                upstream = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                try:
                    upstream.request(self.command, self.path, body, headers)
                    answer = upstream.getresponse()
                    payload = answer.read()
                except OSError:
                    self.close_connection = True  # the server is gone: so are we
                    return
                finally:
                    upstream.close()
                with lock:
                    seen.append((time.monotonic(), self.command, self.path, answer.status, len(payload)))
                self.send_response(answer.status)
                for k, v in answer.getheaders():
                    if k.lower() not in ("connection", "transfer-encoding", "content-length", "server", "date"):
                        self.send_header(k, v)
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = forward

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # a client that was killed in the middle of an answer
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def mark(self):
        return len(self.seen)

    def since(self, mark):
        return self.seen[mark:]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def bursts(requests, gap_s):
    """Requests that belong together: nothing for `gap_s` seconds ends a burst."""
    out = []
    for r in requests:
        if out and r[0] - out[-1][-1][0] < gap_s:
            out[-1].append(r)
        else:
            out.append([r])
    return out


class FakeChat:
    """../shared/chat/fakechat as a child, and what it has seen."""

    def __init__(self, children, shared, secret):
        argv = [sys.executable, "-u", shared / "chat/fakechat/fakechat.py", "--secret", secret]
        child = children.start("fakechat", argv)
        if not until(10, lambda: "listening" in child.out.read_text()):
            raise SystemExit(f"fakechat did not start: {child.said()}")
        self.url = "http://" + child.out.read_text().split()[1]

    def log(self, platform):
        return [r for r in http_json("GET", self.url + "/_log") if r["platform"] == platform]

    def accepted(self, platform="slack"):
        return [r for r in self.log(platform) if r["accepted"]]

    def about(self, word, platform="slack"):
        """Accepted messages that name `word` anywhere."""
        return [r for r in self.accepted(platform) if word in json.dumps(r["payload"], ensure_ascii=False)]


def once_json(*args, **more):
    """As `once_all`, without what it said."""
    return once_all(*args, **more)[:3]


def once_all(binary, config, env, secrets=(), timeout=300):
    """`once --format json` on a config: exit code, the object it printed, seconds, all it said, in which no secret may be."""
    argv = [binary, "once", "--config", config, "--format", "json"]
    began = time.monotonic()
    done = subprocess.run(argv, env={**os.environ, **env}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=timeout)
    took = time.monotonic() - began
    said = done.stdout + done.stderr
    if any(secret in said for secret in secrets):
        raise SystemExit("once printed a secret")
    try:
        return done.returncode, json.loads(done.stdout), took, said
    except ValueError:
        raise SystemExit(f"once printed no JSON (exit {done.returncode}):\n{done.stdout[:2000]}\n{done.stderr[:4000]}") from None


def board(needs, zone, days=2):
    """TOML of a dashboard that is due in six hours, in a window of so many days before; passes at any hour."""
    due = (dt.datetime.now(zone) + dt.timedelta(hours=6)).replace(second=0, microsecond=0)
    return (f'[dashboards.board]\nneeds = {json.dumps(needs)}\ntell = ["team"]\non = "{due.day} {due.month} *"\n'
            f'ready_by = "{due:%H:%M}"\ncounts_from = "-{days}d 00:00"\n[chats.team]\nkind = "console"\n'), due


def script(shared, name, *args):
    """A script of ../shared/peers: its last lines as a dictionary."""
    done = subprocess.run(["bash", shared / "peers" / name, *map(str, args)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          text=True, timeout=600, check=True)
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
