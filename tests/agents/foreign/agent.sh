#!/bin/bash
# A shell agent: reads the sentence, drives to what it names, picks and places. Modality text.
# Speaks protocol 1 of docs/protocol.md; needs nothing but bash.

# Text between quotes behind "$1": in a JSON line, as far as we need it (no escaped quotes).
field() {
  local rest=${line#*\"$1\":\"}
  [[ $rest == "$line" ]] && return
  echo "${rest%%\"*}"
}

while IFS= read -r line; do
  case $(field type) in
    hello)
      echo '{"type":"hello","protocol":1,"modality":"text","name":"agent.sh"}' ;;
    reset)
      sentence=$(field instruction)
      script=()
      for place in sink sofa fridge chair; do
        if [[ $sentence == *"$place"* ]]; then script+=("nav($place)"); fi
      done
      if [[ $sentence == *[Oo]pen*fridge* ]]; then script+=("open(fridge)"); fi
      if [[ $sentence == *[Cc]lose*fridge* ]]; then script+=("close(fridge)"); fi
      next=0
      echo '{"type":"ready"}' ;;
    act)
      skill=${script[next]:-nav(sofa)}
      next=$((next + 1))
      echo "{\"type\":\"act\",\"skill\":\"$skill\"}" ;;
    bye)
      exit 0 ;;
  esac
done
