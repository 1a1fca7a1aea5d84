# syntax=docker/dockerfile:1
# The tool as a static program in an empty image; `--target shell` for CI systems that need a shell beside it.
# A release puts its own programs in the place of the first stage: `--build-context build=FOLDER`.
FROM rust:1.95-alpine AS build
RUN apk add --no-cache build-base ca-certificates
WORKDIR /src
COPY . .
ARG TARGETARCH
# Builds for several platforms share the cache: each has its own folder of it.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    cargo build --release --locked --target-dir "target/$TARGETARCH" && \
    install -D "target/$TARGETARCH/release/enoexec" "/out/$TARGETARCH/enoexec"

FROM alpine:3.22 AS shell
ARG TARGETARCH
COPY --from=build /out/$TARGETARCH/enoexec /usr/local/bin/enoexec
USER 65532:65532
ENTRYPOINT ["enoexec"]

FROM scratch
ARG TARGETARCH
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/$TARGETARCH/enoexec /enoexec
USER 65532:65532
ENTRYPOINT ["/enoexec"]
