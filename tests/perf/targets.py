#!/usr/bin/env python3
"""The lines of a session (session.sh) against the rig's targets: medians over the rounds. targets.py FOLDER"""
import json, os, statistics, sys

def lines(name):
    path = os.path.join(sys.argv[1], name)
    return [json.loads(l) for l in open(path)] if os.path.exists(path) else []

runs, wrk, hang = lines("results.jsonl"), lines("wrk.jsonl"), lines("hang.jsonl")

def med(tag, peer, get):
    values = [get(r) for r in runs if r["tag"] == tag and r["peer"] == peer]
    values = [v for v in values if v is not None]
    return statistics.median(values) if values else None

def show(v, unit="", digits=3):
    return "not measured" if v is None else f"{v:.{digits}g}{unit}"

def ratio(a, b):
    return None if not a or not b else a / b

cpu = lambda r: r["cpu_s_per_1000"]          # s per 1,000 polls = ms per poll
fault = lambda key: lambda r: (r.get("fault") or {}).get(key)

def own_delay(r):
    f = r.get("fault") or {}
    return None if f.get("last_hook_s") is None or f.get("last_poll_s") is None else max(0.0, f["last_hook_s"] - f["last_poll_s"])

rows = []
row = lambda nr, what, target, figure, of: rows.append((nr, what, target, figure, of))
p, prom = med("3000", "product", cpu), med("3000", "prom", cpu)
row(1, "CPU per poll, 3,000 checks @10 s, against the Prometheus stack", "20× less", show(ratio(prom, p), "×"), f"{show(p, ' ms')} to {show(prom, ' ms')}; the bare reference poller {show(med('3000', 'ref_slot', cpu), ' ms')}")
for peer in ("aiohttp", "ref", "monit", "curl"):
    a, b = med("300", "product", cpu), med("300", peer, cpu)
    row(2, f"CPU per poll, 300 checks @10 s, against {peer} (Gatus is not here)", "—", show(ratio(b, a), "×"), f"{show(a, ' ms')} to {show(b, ' ms')}")
s, w = med("saturated", "product", cpu), (statistics.median(x["cpu_us"] for x in wrk) if wrk else None)
row(3, "CPU per poll at saturation, against wrk's GET", "≤ 6×", show(ratio(s and s * 1e3, w), "×"), f"{show(s and s * 1e3, ' µs')} to {show(w, ' µs')}; the reference {show(ratio((med('saturated', 'ref', cpu) or 0) * 1e3, w), '×')}")
row(4, "peak RSS, 10,000 checks", "≤ 40 MiB", show(med("10000", "product", lambda r: r["hwm_mib"]), " MiB"), f"Prometheus stack {show(med('10000', 'prom', lambda r: r['hwm_mib']), ' MiB', 4)}")
for n in ("300", "3000", "10000"):
    kb = med(n, "product", lambda r: (r["fault"]["bytes"] / max(r["fault"]["hooks"], 1) / 1024) if r.get("fault") else None)
    row(5, f"messages when 300 of {n} fail", "≤ 3, ≤ 4 KB each", show(med(n, "product", fault("hooks"))), f"{show(kb, ' KB')} each; " + ", ".join(f"{x} {show(med(n, x, fault('hooks')))}" for x in ("prom", "aiohttp", "monit", "curl")))
for n, limit in (("300", "≤ 1 s"), ("10000", "≤ 11 s")):
    row(7, f"start to first complete sweep, {n} checks", limit, show(med(n, "product", lambda r: r["first_sweep_s"]), " s"), f"most in a second later on: {show(med(n, 'product', lambda r: r['burst_1s']), '', 5)}; Prometheus {show(med(n, 'prom', lambda r: r['first_sweep_s']), ' s')}")
for n in ("300", "3000", "10000"):
    row(8, f"own delay, last poll that decides → message, {n} checks", "≤ 2 s", show(med(n, "product", own_delay), " s"), f"Alertmanager {show(med(n, 'prom', own_delay), ' s')}")
row(8, "poll jitter p99, 10,000 checks", "≤ 100 ms", show(med("10000", "product", lambda r: (r["jitter_s"]["p99"] or 0) * 1e3), " ms"), f"Prometheus {show(med('10000', 'prom', lambda r: (r['jitter_s']['p99'] or 0) * 1e3), ' ms')}")
if hang:
    row(9, "others while a tenth hangs, 3,000 checks", "≤ 1.5× slower", show(statistics.median(h["slower"] for h in hang), "×"), f"{show(statistics.median(h['during']['polls_per_s'] for h in hang), '', 4)} polls/s, before {show(statistics.median(h['before']['polls_per_s'] for h in hang), '', 4)}")
    row(9, "words said while a tenth hangs", "none that is false", show(max(h["messages"] for h in hang)), f"Prometheus stack: {show(med('hang', 'prom', fault('hooks')))} messages")
print("| # | what | first target | measured | of |\n|---|---|---|---|---|")
for r in rows: print("| " + " | ".join(map(str, r)) + " |")
