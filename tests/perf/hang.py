#!/usr/bin/env python3
"""Row 9 of the comparison: what a peer does to the endpoints that answer while a tenth of them hang.

hang.py RIG N INTERVAL [--out FILE] [--peer product]: runs RIG/run.py's server and the peer by hand, because run.py has no figure
for the others: polls per second, gaps and jitter before the fault and from two intervals after it on, and the messages sent. The
tenth that hangs is in these figures (the server tells no difference), so the median is the others'. Standard library only.
Needs PRODUCT_CMD and RIG_BIN as run.py does.
"""
import argparse, json, os, shutil, signal, subprocess, tempfile, time, urllib.request

PORT = 9400
BASE = f"http://127.0.0.1:{PORT}"

def ctl(what):
    return json.load(urllib.request.urlopen(f"{BASE}/ctl/{what}", timeout=30))

def window(interval, seconds):
    """What was polled in these seconds from now on."""
    a, began = ctl(f"stats?interval={interval}"), time.time()
    time.sleep(seconds)
    b = ctl(f"stats?interval={interval}")
    return {"polls_per_s": round((b["total"] - a["total"]) / (time.time() - began), 1), "gap_s": b["gap_s"], "jitter_s": b["jitter_s"]}

def main():
    p = argparse.ArgumentParser()
    p.add_argument("rig"); p.add_argument("n", type=int); p.add_argument("interval", type=int)
    p.add_argument("--out", default="hang.jsonl"); p.add_argument("--seconds", type=float, default=40)
    a = p.parse_args()
    binaries = os.environ.get("RIG_BIN", os.path.join(a.rig, "target", "release"))
    d = tempfile.mkdtemp(prefix="rig-hang-")
    pin = lambda cpu: (lambda: (os.setsid(), os.sched_setaffinity(0, {cpu})))
    log = open(os.path.join(d, "out.log"), "wb")
    procs = [subprocess.Popen([binaries + "/rig", "--port", str(PORT), "--n", str(a.n)], preexec_fn=pin(0))]
    try:
        time.sleep(0.4)
        env = {**os.environ, "BASE": BASE, "N": str(a.n), "INTERVAL": str(a.interval), "DIR": d}
        procs.append(subprocess.Popen(["bash", "-c", "exec " + os.environ["PRODUCT_CMD"]], env=env, cwd=d, stdout=log, stderr=log,
                                      preexec_fn=pin(1)))
        began = time.time()
        while ctl("stats")["ids_seen"] < a.n and time.time() - began < 120:
            time.sleep(1)
        # From quick to regular polls: the gaps of the first two intervals are not its rhythm.
        time.sleep(2 * a.interval)
        ctl("reset")
        before = window(a.interval, a.seconds)
        ctl("reset")
        ctl(f"fault?kind=hang&from=0&to={a.n // 10 - 1}")
        onset = window(a.interval, 2 * a.interval)
        during = window(a.interval, a.seconds)
        s = ctl("stats")
        r = {"peer": "product", "n": a.n, "interval": a.interval, "before": before, "onset": onset, "during": during,
             "slower": round(during["gap_s"]["p50"] / before["gap_s"]["p50"], 2), "messages": s["hooks_total"], "samples": s["samples"][:1],
             "alive": procs[1].poll() is None}
    finally:
        for x in procs:
            try: os.killpg(x.pid, signal.SIGTERM)
            except ProcessLookupError: pass
        for x in procs:
            try: x.wait(12)
            except subprocess.TimeoutExpired: os.killpg(x.pid, signal.SIGKILL)
        shutil.rmtree(d, ignore_errors=True)
    print(json.dumps(r))
    with open(a.out, "a") as f: f.write(json.dumps(r) + "\n")

main()
