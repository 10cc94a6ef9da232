# kindlytest with a headless Chromium.
#
#   docker build -t kindlytest .
#   docker run --rm -v "$PWD:/work" --network host kindlytest run -c kindlytest.yaml
#
# It runs as a user, who must be able to write into /work: --user "$(id -u):$(id -g)" makes
# that yours. Chrome has its sandbox where the container may make user namespaces, which
# most may not (.ci/chromium-in-container): open only pages of your own with it.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o /kindlytest ./cmd/kindlytest \
 && .ci/notices > /NOTICES.txt

FROM debian:bookworm-slim
# tini ends the processes that Chrome leaves to process 1.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates chromium-headless-shell fonts-liberation tini \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 1000 --create-home kindlytest \
 && install -d -o kindlytest -g kindlytest /work
COPY --from=build /kindlytest /usr/local/bin/kindlytest
COPY --from=build /NOTICES.txt /usr/local/share/doc/kindlytest/NOTICES.txt
COPY LICENSE /usr/local/share/doc/kindlytest/LICENSE
COPY .ci/chromium-in-container /usr/local/bin/chromium-headless-shell
# Whatever user it is run as.
ENV HOME=/tmp
USER kindlytest
WORKDIR /work
ENTRYPOINT ["tini", "--", "kindlytest"]
CMD ["--help"]
