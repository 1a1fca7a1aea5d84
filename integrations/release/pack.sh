#!/usr/bin/env bash
# Packs a program as a release has it: `pack.sh PROGRAM VERSION TARGET` writes enoexec-VERSION-TARGET.tar.gz, the same bytes for the same files.
set -euo pipefail

program=$1
archive=$PWD/enoexec-$2-$3.tar.gz
root=$(cd "$(dirname "$0")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

install -m 755 "$program" "$scratch/enoexec"
cp "$root"/LICENSE-MIT "$root"/LICENSE-APACHE "$root"/README.md "$scratch"
cp -r "$root"/docs/man "$root"/docs/completions "$scratch"
cd "$scratch"
# Names without `./`: installers ask for `enoexec`.
tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX -cf - -- * | gzip -n > "$archive"
