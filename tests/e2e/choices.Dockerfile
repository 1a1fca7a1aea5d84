# RUN bodies that choose by architecture, a stage each. Nothing here is built: tests/e2e/choices.rs runs each under real shells with
# stand-ins for uname, dpkg, apk, arch, curl and wget, and holds the linter's addresses against what was fetched.

FROM debian:12 AS case-of-targetarch
ARG TARGETARCH
RUN case "$TARGETARCH" in \
      amd64) name=x86_64 ;; \
      arm64) name=aarch64 ;; \
      *) echo "unsupported: $TARGETARCH" >&2; exit 1 ;; \
    esac; \
    curl -fsSLO "https://one.example/tool-$name.tar.gz"

FROM debian:12 AS address-in-the-branch
RUN set -eux; arch="$(dpkg --print-architecture)"; \
    case "${arch##*-}" in \
      'amd64') url='https://two.example/go.linux-amd64.tar.gz' ;; \
      'arm64') url='https://two.example/go.linux-arm64.tar.gz' ;; \
      'armhf') url='https://two.example/go.linux-armv6l.tar.gz' ;; \
      *) exit 1 ;; \
    esac; \
    wget -O go.tgz "$url"

FROM debian:12 AS case-in-a-substitution
RUN curl -L "https://three.example/$(case $(uname -m) in x86_64) echo x64;; aarch64) echo arm64;; *) echo other;; esac)/tool"

FROM debian:12 AS default-then-override
RUN ARCH=amd64 && if [ "$(uname -m)" = "aarch64" ]; then ARCH=arm64; fi && curl -LO https://four.example/tool_$ARCH

FROM debian:12 AS if-elif-else
RUN if [ "$(uname -m)" = "x86_64" ]; then SUFFIX=64; \
    elif [ "$(uname -m)" = "aarch64" ]; then SUFFIX=arm; \
    else SUFFIX=any; fi; \
    wget "https://five.example/x-$SUFFIX.zip"

FROM debian:12 AS lists-of-and-and-or
ARG TARGETARCH
RUN ARCH= && [ "$TARGETARCH" = amd64 ] && ARCH=x64 || ARCH=$TARGETARCH; curl -O "https://six.example/a-$ARCH"

FROM debian:12 AS a-guard-that-stops
ARG TARGETARCH
RUN [ "$TARGETARCH" = amd64 ] || exit 1; curl -O https://seven.example/only-amd64

FROM debian:12 AS sed-over-uname
RUN ARCH=$(uname -m | sed -e 's/x86_64/amd64/' -e 's/aarch64/arm64/' -e 's/armv7l/arm/') && wget -q https://eight.example/t-${ARCH}.tgz

FROM debian:12 AS sed-with-other-separators
ARG TARGETPLATFORM
RUN A=$(echo ${TARGETPLATFORM} | sed "s#linux/amd64#x86_64#" | sed "s#linux/arm64#aarch64#") && curl -sLO https://nine.example/$A/t

FROM debian:12 AS cut-of-the-platform
ARG TARGETPLATFORM
RUN curl -O "https://ten.example/$(echo $TARGETPLATFORM | cut -d/ -f2)/kubectl"

FROM debian:12 AS tr-and-uname
RUN curl -O "https://eleven.example/tool-$(uname -s | tr '[:upper:]' '[:lower:]')-$(dpkg --print-architecture)"

FROM debian:12 AS awk-of-the-platform
ARG TARGETPLATFORM
RUN wget https://twelve.example/$(echo "$TARGETPLATFORM" | awk -F/ '{print $2}').bin

FROM debian:12 AS replaced-in-the-shell
ARG TARGETARCH
SHELL ["/bin/bash", "-c"]
RUN curl -O "https://thirteen.example/node-${TARGETARCH/amd64/x64}.tar.xz"

FROM debian:12 AS trimmed
ARG TARGETPLATFORM
RUN P=${TARGETPLATFORM#linux/}; curl -O "https://fourteen.example/${P%%/*}"

FROM debian:12 AS with-the-variant
ARG TARGETARCH
ARG TARGETVARIANT
RUN curl -O "https://fifteen.example/caddy_linux_${TARGETARCH}${TARGETVARIANT}.tar.gz"

FROM debian:12 AS a-function
RUN get() { case "$(uname -m)" in x86_64) echo "$1-amd64" ;; *) echo "$1-arm64" ;; esac; }; \
    curl -O "https://sixteen.example/$(get one)" && curl -O "https://sixteen.example/$(get two)"

FROM debian:12 AS a-function-that-fetches
ARG TARGETARCH
RUN fetch_tool() { curl -fL "https://seventeen.example/$1/$2_linux_${TARGETARCH}" -o "/usr/bin/$2"; }; \
    fetch_tool v1 a && fetch_tool v2 b

FROM debian:12 AS a-loop
RUN for tool in kubectl kubeadm kubelet; do wget "https://eighteen.example/bin/linux/$(dpkg --print-architecture)/$tool"; done

FROM debian:12 AS a-script-that-is-written
ARG TARGETARCH
RUN <<EOF cat > /tmp/get.sh && sh /tmp/get.sh
curl -O https://nineteen.example/tool-${TARGETARCH}
EOF

FROM debian:12 AS a-quoted-script
ARG TARGETARCH
RUN cat <<'EOF' > /tmp/get.sh
set -e
if [ "$(uname -m)" = x86_64 ]; then n=64; else n=arm64; fi
wget "https://twenty.example/$n"
EOF

FROM debian:12 AS a-here-document
ARG TARGETARCH
RUN <<EOF
set -e
case "$TARGETARCH" in
  amd64|arm64) curl -O "https://twentyone.example/$TARGETARCH" ;;
  *) curl -O "https://twentyone.example/generic" ;;
esac
EOF

FROM alpine:3.20 AS apk-names
RUN set -eu; apkArch="$(apk --print-arch)"; \
    case "$apkArch" in \
      x86_64) a=amd64 ;; aarch64) a=arm64 ;; armhf|armv7) a=arm ;; \
      *) echo >&2 "error: $apkArch"; exit 1 ;; \
    esac; \
    wget -O /x "https://twentytwo.example/dl-$a"

FROM debian:12 AS arch-command
RUN curl -O "https://twentythree.example/$(arch)/tool" ; [ "$(arch)" != aarch64 ] || curl -O https://twentythree.example/extra

FROM debian:12 AS double-brackets
SHELL ["/bin/bash", "-c"]
ARG TARGETARCH
RUN if [[ "$TARGETARCH" == arm* ]]; then curl -O https://twentyfour.example/arm; else curl -O https://twentyfour.example/other; fi

FROM debian:12 AS regular-expression
SHELL ["/bin/bash", "-c"]
RUN if [[ "$(uname -m)" =~ ^(aarch64|arm64)$ ]]; then M=arm64; else M=amd64; fi; curl -O "https://twentyfive.example/$M"

FROM debian:12 AS positional
ARG TARGETARCH
RUN set -- "$TARGETARCH" v1; curl -O "https://twentysix.example/$2/$1"; shift; curl -O "https://twentysix.example/$1"

FROM debian:12 AS text-for-another-shell
ARG TARGETARCH
RUN sh -c "curl -O https://twentyseven.example/${TARGETARCH}" && bash -c 'wget https://twentyseven.example/$(uname -m)'

FROM debian:12 AS exported
ARG TARGETARCH
ENV BASE=https://twentyeight.example
RUN export ARCH="$TARGETARCH" && export URL="$BASE/x-$ARCH" && wget "$URL"

FROM debian:12 AS negated
RUN if ! [ "$(dpkg --print-architecture)" = amd64 ]; then curl -O https://twentynine.example/not-amd64; fi

FROM debian:12 AS the-default-of-a-variable
ARG TARGETARCH
RUN curl -O "https://thirty.example/${NOT_SET_ANYWHERE:-$TARGETARCH}" && curl -O "https://thirty.example/${TARGETARCH:+set}"

FROM debian:12 AS a-pipe-into-grep
RUN if uname -m | grep -q x86_64; then curl -O https://thirtyone.example/x; else curl -O https://thirtyone.example/y; fi

FROM debian:12 AS printf-and-basename
ARG TARGETPLATFORM
RUN U=$(printf 'https://thirtytwo.example/%s/%s' "$(basename "$TARGETPLATFORM")" tool); wget "$U"

FROM debian:12 AS a-subshell
ARG TARGETARCH
RUN (A=$TARGETARCH; [ "$A" = arm64 ] && A=aarch64; curl -O "https://thirtythree.example/$A"); curl -O "https://thirtythree.example/$A-none"

FROM debian:12 AS what-is-not-known
ARG VERSION
RUN V=$(curl -s https://thirtyfour.example/latest); curl -O "https://thirtyfour.example/$V/$(uname -m)"; [ -e /nowhere ] && curl -O https://thirtyfour.example/maybe; true

FROM debian:12 AS appended
ARG TARGETARCH
RUN n=tool; n="$n-linux"; [ "$TARGETARCH" = amd64 ] && n="$n-x64"; [ "$TARGETARCH" = arm64 ] && n="$n-arm64"; curl -O "https://thirtyfive.example/$n"

FROM debian:12 AS the-last-field
RUN set -eux; dpkgArch="$(dpkg --print-architecture | awk -F- '{ print $NF }')"; \
    wget -O /usr/local/bin/tool "https://thirtysix.example/tool-$dpkgArch"; rm -r tool.old

FROM debian:12 AS grep-with-a-choice
RUN M="$(uname -m)"; A=amd64; if echo "$M" | grep -Eq 'aarch64|arm64'; then A=arm64; fi; curl -fsSL "https://thirtyseven.example/$A" -o /tool

FROM debian:12 AS a-wrapper-with-options
ARG TARGETARCH
RUN sudo -u nobody -H curl -O "https://thirtyeight.example/$TARGETARCH" && timeout -k 5 60 wget "https://thirtyeight.example/x"

FROM debian:12 AS it-may-be-over
ARG TARGETARCH
RUN [ ! -e /nowhere ] && exit 0; curl -O "https://thirtynine.example/$TARGETARCH"

FROM debian:12 AS a-function-that-may-return
ARG TARGETARCH
RUN get() { [ ! -e /nowhere ] && return 0; curl -O "https://forty.example/$TARGETARCH"; }; get; curl -O "https://forty.example/always"

FROM debian:12 AS a-loop-that-may-end
ARG TARGETARCH
RUN for n in 1 2 3; do [ ! -e /nowhere ] && break; curl -O "https://fortyone.example/$TARGETARCH/$n"; done; curl -O https://fortyone.example/last

FROM debian:12 AS a-file-where-a-variable-says
ARG TARGETARCH
RUN D="$(mktemp -d)"; curl -fsSL -o "$D/tool" "https://fortytwo.example/$TARGETARCH"; rm -rf "$D"

FROM debian:12 AS a-secret
ARG TARGETARCH
RUN set -u; curl -H "token: $TOKEN" "https://fortythree.example/$TARGETARCH"

FROM debian:12 AS debian-s-triplet
RUN curl -O "https://fortyfour.example/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)/x.so"

FROM debian:12 AS a-case-that-falls-through
SHELL ["/bin/bash", "-c"]
RUN case "$(uname -m)" in x86_64) curl -O https://fortyfive.example/x ;;& *64) curl -O https://fortyfive.example/y ;; esac

FROM debian:12 AS arithmetic
SHELL ["/bin/bash", "-c"]
RUN n=1; (( n = n + 1 )); curl -O "https://fortysix.example/$n/$(uname -m)"

FROM debian:12 AS an-array
SHELL ["/bin/bash", "-c"]
ARG TARGETARCH
RUN declare -A names=([amd64]=x64 [arm64]=arm64); curl -O "https://fortyseven.example/${names[$TARGETARCH]}"

FROM debian:12 AS until-it-works
ARG TARGETARCH
RUN until curl -O "https://fortyeight.example/$TARGETARCH"; do sleep 1; done

FROM debian:12 AS no-further
ARG TARGETARCH
RUN [ "$TARGETARCH" = amd64 ] && exit 0; curl -O "https://fortynine.example/$TARGETARCH"
