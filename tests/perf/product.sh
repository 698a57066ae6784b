#!/usr/bin/env bash
# dawnwatch as a peer of the side-by-side rig: writes a configuration from the rig's variables and becomes the agent.
#
#   BASE      http://127.0.0.1:PORT of the rig's status server
#   N         how many pipelines to watch: BASE/pipelines/0 … BASE/pipelines/N-1, one request each (`{id}` in the source's url)
#   INTERVAL  seconds between two polls of one pipeline
#   DIR       an empty folder for the configuration and the store
#   DAWNWATCH the binary (default: target/release/dawnwatch of this repository)
#   EVIDENCE  run (default): the state and the start of the newest run; data: only the time of the newest data
#
# Nothing is tuned for the rig: real store, logs, status page, one dashboard that needs all checks, one chat at BASE/hook/product.
# Its deadline is the end of the day and its window opens the day before, so that the answers of the rig (newest run five minutes
# ago) are evidence at any hour at which somebody measures.
set -euo pipefail
: "${BASE:?}" "${N:?}" "${INTERVAL:?}" "${DIR:?}"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
binary=${DAWNWATCH:-$here/target/release/dawnwatch}
case ${EVIDENCE:-run} in
  run) evidence=$'state      = "$.state"\nstarted_at = "$.run.started_at"' ;;
  data) evidence='timestamp = "$.last_success"' ;;
  *) echo "EVIDENCE is run or data" >&2; exit 2 ;;
esac

{
  cat <<TOML
timezone = "UTC"
tell     = ["room"]

[store]
path = "dawnwatch.db"

[web]
listen = "127.0.0.1:${PAGE_PORT:-8606}"

[sources.rig]
kind  = "http"
url   = "$BASE/pipelines/{id}"
every = "${INTERVAL}s"
$evidence

[dashboards.all]
needs       = [$(seq -f '"p%05.0f"' -s ', ' 0 $((N - 1)))]
ready_by    = "23:59"
counts_from = "-1d 00:00"

[chats.room]
kind = "webhook"
url  = "$BASE/hook/product"

TOML
  for ((i = 0; i < N; i++)); do printf '[checks.p%05d]\nsource = "rig"\nid = "%d"\n' "$i" "$i"; done
} >"$DIR/dawnwatch.toml"
exec "$binary" run --config "$DIR/dawnwatch.toml"
