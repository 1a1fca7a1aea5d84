#!/usr/bin/env bash
# Runs `enoexec check` with what the action's inputs say (INPUT_…), and leaves its exit code in the step's outputs.
set -euo pipefail

arguments=()
# One argument a line; empty lines and the spaces around a line mean nothing.
each_line() {
    local line
    while IFS= read -r line || [ -n "$line" ]; do
        line="${line#"${line%%[![:space:]]*}"}"
        line="${line%"${line##*[![:space:]]}"}"
        if [ -n "$line" ]; then arguments+=("$1$line"); fi
    done <<< "$2"
}

each_line --node= "${INPUT_NODES:-}"
each_line --platform= "${INPUT_PLATFORMS:-}"
each_line --fail-on= "${INPUT_FAIL_ON:-}"
each_line --dockerfile= "${INPUT_DOCKERFILE:-}"
each_line --config= "${INPUT_CONFIG:-}"
each_line --baseline= "${INPUT_BASELINE:-}"
if [ "${INPUT_ANNOTATE:-true}" = true ]; then arguments+=(--format=github); fi
# The summary is added to what other steps wrote; --output would write it over.
summary=${RUNNER_TEMP:-/tmp}/enoexec-summary.md
if [ "${INPUT_SUMMARY:-true}" = true ]; then arguments+=("--output=markdown=$summary"); fi
sarif=${RUNNER_TEMP:-/tmp}/enoexec.sarif
rm -f "$sarif" "$summary"
arguments+=("--output=sarif=$sarif" --)
each_line '' "$INPUT_TARGETS"

code=0
enoexec check "${arguments[@]}" || code=$?
if [ -f "$summary" ] && [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then cat "$summary" >> "$GITHUB_STEP_SUMMARY"; fi
{
    echo "exit-code=$code"
    if [ -f "$sarif" ]; then echo "sarif-file=$sarif"; fi
} >> "$GITHUB_OUTPUT"
