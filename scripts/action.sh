#!/bin/bash
# The step of action.yml: audits MODEL and writes the result as SARIF, as JUnit where it
# is asked for, and into the summary of the run. The inputs come by the environment, so
# that none of them is ever read as a command.
set -uo pipefail
result=$(mktemp -d)/audit.json
arguments=(--budget "$BUDGET")
[ -n "$CLAIM" ] && arguments+=(--claim "$CLAIM")
[ -n "$PARENTS" ] && arguments+=(--parents "$PARENTS")
[ -n "$FAIL_ON" ] && arguments+=(--fail-on "$FAIL_ON")
failing=()
[ -n "$FAIL_ON" ] && failing=(--fail-on "$FAIL_ON")

weightprint audit "${arguments[@]}" --json -o "$result" -- "$MODEL"
outcome=$?
echo "outcome=$outcome" >> "$GITHUB_OUTPUT"
[ -e "$result" ] || exit "$outcome"
weightprint show "${failing[@]}" --format sarif --force -o "$SARIF" "$result" || exit 2
echo "sarif=$SARIF" >> "$GITHUB_OUTPUT"
if [ -n "$JUNIT" ]; then
  weightprint show "${failing[@]}" --format junit --force -o "$JUNIT" "$result" || exit 2
fi
{
  printf '### weightprint audit\n\n'
  weightprint show "$result" | sed 's/^/    /'
} >> "$GITHUB_STEP_SUMMARY"
exit "$outcome"
