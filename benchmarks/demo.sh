#!/usr/bin/env bash
# The whole way of an episode, on fresh ones: generate, check, play, score, watch. Used by `make demo`.
set -euo pipefail
out=${1:-out/demo}
mkdir -p "$out"
step() { printf '\n$ %s\n' "$*"; "$@"; }

step langrearrange generate --spec benchmarks/demo.yaml --out "$out/episodes" --force
step langrearrange check "$out/episodes"
for agent in random blind_sweep explorer oracle; do
  step langrearrange evaluate --agent "$agent" --episodes "$out/episodes" --out "$out/$agent.jsonl.gz" --force
done
step langrearrange score "$out"/{random,blind_sweep,explorer,oracle}.jsonl.gz --episodes "$out/episodes"
step langrearrange play demo/000004 --episodes "$out/episodes" --agent oracle --out "$out/oracle.gif" --force
step langrearrange report "$out/explorer.jsonl.gz" --episodes "$out/episodes" --out "$out/explorer.html" --force
printf '\nWatch %s and open %s in a browser.\n' "$out/oracle.gif" "$out/explorer.html"
