#!/usr/bin/env bash
# The whole comparison with other watchdogs in one quiet session: session.sh RIG [OUT]
#
# RIG is the folder of the side-by-side rig (its README says what it measures), built with `cargo build --release`; OUT is where the
# lines and tables go (default: a new folder under the temporary one). Everything stays on loopback and ends by itself.
#
#   PEER_DIR  the peers that were unpacked there (default RIG/../peers); whatever is missing is left out and said
#   RIG_BIN   the rig's binaries (default RIG/target/release)
#   RIG_PY    a Python with aiohttp, for the scripted peer (default python3)
#   DAWNWATCH the product (default target/release/dawnwatch; built here if it is missing)
#   ROUNDS    interleaved rounds (default 3; each takes about 17 minutes)
#
# Needs two cores that nobody else uses, Python 3 and, for Alertmanager's template, root and `unshare`: the unpacked /usr/share is
# laid over the real one in a mount namespace of this session alone.
set -euo pipefail
rig=$(cd "${1:?session.sh RIG [OUT]}" && pwd)
out=${2:-$(mktemp -d -t dawnwatch-perf-XXXX)}
mkdir -p "$out"
out=$(cd "$out" && pwd)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$here/../.." && pwd)
export PEER_DIR=${PEER_DIR:-$rig/../peers} RIG_BIN=${RIG_BIN:-$rig/target/release} RIG_PY=${RIG_PY:-python3}
export DAWNWATCH=${DAWNWATCH:-$repo/target/release/dawnwatch}
export PRODUCT_CMD=$here/product.sh
rounds=${ROUNDS:-3}

share=$PEER_DIR/root/usr/share
if [ -z "${IN_NAMESPACE:-}" ] && [ -d "$share/prometheus" ] && [ ! -e /usr/share/prometheus ]; then
  if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
    export IN_NAMESPACE=1
    exec unshare -m bash "${BASH_SOURCE[0]}" "$rig" "$out"
  fi
  echo "no mount namespace here: Alertmanager will lack its template"
fi
if [ -n "${IN_NAMESPACE:-}" ]; then
  mount -t overlay overlay -o "lowerdir=$share:/usr/share" /usr/share
fi

[ -x "$DAWNWATCH" ] || (cd "$repo" && cargo build --release)
[ -x "$RIG_BIN/rig" ] || { echo "build the rig first: cargo build --release in $rig"; exit 2; }
export LD_LIBRARY_PATH=$PEER_DIR/root/usr/lib/$(uname -m)-linux-gnu${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
bin=$PEER_DIR/root/usr/bin

have() {
  case $1 in
    prom) [ -x "$bin/prometheus" ] && [ -x "$bin/prometheus-blackbox-exporter" ] && [ -x "$bin/prometheus-alertmanager" ] ;;
    monit) [ -x "$bin/monit" ] ;;
    aiohttp) "$RIG_PY" -c 'import aiohttp' 2>/dev/null ;;
    curl) command -v curl >/dev/null ;;
    *) true ;;
  esac
}

# one TAG PEER N INTERVAL OPTIONS... : one run, one line. A peer that is missing or fails is said, and the session goes on.
one() {
  local tag=$1 peer=$2
  shift
  have "$peer" || { echo "-- $peer is not here: left out"; return 0; }
  echo "-- $(date +%H:%M:%S) $tag $*"
  timeout 240 python3 "$rig/run.py" "$@" --tag "$tag" --out "$out/results.jsonl" >"$out/last.log" 2>&1 || { echo "-- $peer failed"; tail -5 "$out/last.log"; }
}

# The plain GET of wrk with the rig alone: what a poll costs at the least.
wrk_get() {
  [ -x "$bin/wrk" ] || { echo "-- wrk is not here: left out"; return 0; }
  taskset -c 0 "$RIG_BIN/rig" --port 9400 --n 10000 & local server=$!
  sleep 0.5
  { TIMEFORMAT='%U %S'; time taskset -c 1 "$bin/wrk" -t1 -c64 -d6 http://127.0.0.1:9400/pipelines/7 >"$out/wrk.log"; } 2>"$out/wrk.time" || true
  kill "$server"
  wait "$server" 2>/dev/null || true
  awk -v cpu="$(awk '{print $1 + $2}' "$out/wrk.time")" '/requests in/ {printf "{\"cpu_us\": %.2f}\n", cpu / $1 * 1e6}' "$out/wrk.log" >>"$out/wrk.jsonl"
}

began=$SECONDS
uptime
for ((round = 1; round <= rounds; round++)); do
  for peer in product ref_slot prom aiohttp; do
    one 3000 "$peer" 3000 10 --steady 30 --fault-wait 40
  done
  for peer in product ref ref_slot aiohttp monit curl; do
    one 300 "$peer" 300 10 --steady 20 --windows 2
  done
  for peer in product ref_slot prom; do
    one 10000 "$peer" 10000 10 --steady 30 --windows 2 --fault-wait 35 --sweep-limit 75
  done
  for peer in product ref; do
    one saturated "$peer" 10000 1 --steady 12 --windows 2 --fault 0 --sweep-limit 30
  done
  wrk_get
  one hang prom 3000 10 --steady 20 --windows 2 --fault 300 --kind hang --fault-wait 60
  echo "-- $(date +%H:%M:%S) hang product 3000 10"
  timeout 240 python3 "$here/hang.py" "$rig" 3000 10 --out "$out/hang.jsonl" >"$out/last.log" 2>&1 || { echo "-- hang failed"; tail -5 "$out/last.log"; }
done
uptime
python3 "$rig/table.py" "$out/results.jsonl" >"$out/table.md"
python3 "$here/targets.py" "$out" | tee "$out/targets.md"
echo "all lines are in $out; the session took $(((SECONDS - began) / 60)) minutes"
