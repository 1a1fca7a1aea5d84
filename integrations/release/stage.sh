#!/usr/bin/env bash
# `stage.sh ARCHIVES FOLDER` lays a release's programs out as the first stage of the Dockerfile does, so that the images have these very
# programs: `docker buildx build --build-context build=FOLDER`.
set -euo pipefail

archives=$1
folder=$2
for pair in amd64=x86_64 arm64=aarch64; do
    mkdir -p "$folder/out/${pair%=*}"
    tar -xzf "$archives"/enoexec-*-"${pair#*=}"-unknown-linux-musl.tar.gz -C "$folder/out/${pair%=*}" enoexec
done
mkdir -p "$folder/etc/ssl/certs"
cp -L /etc/ssl/certs/ca-certificates.crt "$folder/etc/ssl/certs/"
