#!/usr/bin/env bash
# Drives a proxy on the mock provider with the official Python clients, in a venv of its own.
# Ends with one plain line: "N passed, N failed".
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)

requirements=.venv/requirements.txt
if ! cmp -s requirements.txt "$requirements"; then
  echo 'making the venv' >&2
  python3 -m venv --clear .venv >&2
  .venv/bin/pip install --quiet --disable-pip-version-check --requirement requirements.txt >&2
  cp requirements.txt "$requirements"
fi

node="$root/node_modules/node/bin/node"
tollgate=("$node" "$root/packages/cli/dist/tollgate.js")
if [ ! -e "${tollgate[1]}" ]; then
  tollgate=("$node" --conditions=source --disable-warning=ExperimentalWarning "$root/packages/cli/src/main.ts")
fi

state=$(mktemp -d)
printed="$state/printed"
"${tollgate[@]}" serve --mock --resources resources --state "$state/state" \
  --port 0 --admin-port 0 --server-port 0 >"$printed" 2>"$state/log" &
serve=$!
stop() {
  kill "$serve" 2>/dev/null || true
  wait "$serve" || true
  rm -rf "$state"
}
trap stop EXIT

until grep -q '^stop:' "$printed"; do
  if ! kill -0 "$serve" 2>/dev/null; then
    cat "$state/log" >&2
    exit 1
  fi
  sleep 0.1
done
base=$(sed -n 's|.*OPENAI_BASE_URL=\(.*\)/openai/v1$|\1|p' "$printed")
metrics=$(sed -n 's/^metrics: *//p' "$printed")

TOLLGATE_URL="$base" TOLLGATE_METRICS="$metrics" .venv/bin/python test_clients.py
