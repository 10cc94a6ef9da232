# kindlytest with a headless Chromium.
#
#   docker build -t kindlytest .
#   docker run --rm -v "$PWD:/work" --network host kindlytest run -c kindlytest.yaml
#
# It runs as root, and so Chrome without its sandbox, which needs privileges that a
# container does not have: open only pages of your own with it.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o /kindlytest ./cmd/kindlytest

FROM debian:bookworm-slim
# tini ends the processes that Chrome leaves to process 1.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates chromium-headless-shell fonts-liberation tini \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /kindlytest /usr/local/bin/kindlytest
COPY LICENSE /usr/local/share/doc/kindlytest/LICENSE
WORKDIR /work
ENTRYPOINT ["tini", "--", "kindlytest"]
CMD ["--help"]
