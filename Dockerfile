# syntax=docker/dockerfile:1
# The tool as a static program in an empty image; `--target shell` for CI systems that need a shell beside it.
FROM rust:1.95-alpine AS build
RUN apk add --no-cache build-base ca-certificates
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    cargo build --release --locked && install -D target/release/enoexec /out/enoexec

FROM alpine:3.22 AS shell
COPY --from=build /out/enoexec /usr/local/bin/enoexec
USER 65532:65532
ENTRYPOINT ["enoexec"]

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/enoexec /enoexec
USER 65532:65532
ENTRYPOINT ["/enoexec"]
