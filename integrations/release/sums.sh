#!/usr/bin/env bash
# In a folder with a release's files: writes SHA256SUMS, and krew.yaml with the archives' sums.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$1"
sha256sum -- enoexec-* > SHA256SUMS
# The one file whose name has this in it.
sum() {
    awk -v part="$1" 'index($2, part) { print $1; found++ } END { exit found != 1 }' SHA256SUMS
}
intel=$(sum x86_64-unknown-linux-musl)
arm=$(sum aarch64-unknown-linux-musl)
sed -e "s/@SHA256_X86_64@/$intel/" -e "s/@SHA256_AARCH64@/$arm/" "$root/integrations/krew/enoexec.yaml" > krew.yaml
