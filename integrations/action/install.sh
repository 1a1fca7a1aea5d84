#!/usr/bin/env bash
# Installs a release of enoexec, if the archive is the one that its checksum says. Everything comes from variables:
#   ENOEXEC_INSTALL_VERSION   the release, such as 0.1.0
#   ENOEXEC_INSTALL_SHA256    the archive's checksum; the one of the release's SHA256SUMS where it is empty
#   ENOEXEC_INSTALL_FOLDER    where to; a folder of the runner's by default
#   ENOEXEC_INSTALL_FROM      where releases are
set -euo pipefail

version=${ENOEXEC_INSTALL_VERSION#v}
from=${ENOEXEC_INSTALL_FROM:-https://github.com/enoexec/enoexec/releases/download}
folder=${ENOEXEC_INSTALL_FOLDER:-${RUNNER_TEMP:-/tmp}/enoexec-$version}

if ! [[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?$ ]]; then
    echo "enoexec: \`$version\` is no version: expected one such as 0.1.0" >&2
    exit 2
fi
case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) target=x86_64-unknown-linux-musl ;;
    Linux-aarch64 | Linux-arm64) target=aarch64-unknown-linux-musl ;;
    *)
        echo "enoexec: there is no release for $(uname -s) on $(uname -m): build it with \`cargo install enoexec\`" >&2
        exit 2
        ;;
esac

archive=enoexec-$version-$target.tar.gz
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
fetch() { curl --fail --silent --show-error --location --retry 3 --output "$scratch/$1" "$from/v$version/$1"; }

fetch "$archive"
wanted=${ENOEXEC_INSTALL_SHA256:-}
if [ -z "$wanted" ]; then
    fetch SHA256SUMS
    wanted=$(awk -v name="$archive" '$2 == name || $2 == "*" name { print $1 }' "$scratch/SHA256SUMS")
fi
got=$(sha256sum "$scratch/$archive" | cut -d' ' -f1)
if [ -z "$wanted" ] || [ "$got" != "$wanted" ]; then
    echo "enoexec: $archive has the checksum $got, and should have ${wanted:-one in SHA256SUMS}: nothing is installed" >&2
    exit 3
fi

mkdir -p "$folder"
tar -xzf "$scratch/$archive" -C "$folder" enoexec
if [ -n "${GITHUB_PATH:-}" ]; then echo "$folder" >> "$GITHUB_PATH"; fi
"$folder/enoexec" --version
