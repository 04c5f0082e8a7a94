# slipway in a container. It drives the Docker engine of its host:
#
#   docker build --tag slipway --build-arg VERSION=$(git describe --tags --always --dirty) .
#   docker run -d --name slipway -p 127.0.0.1:8080:8080 -v slipway:/var/lib/slipway \
#     -v /var/run/docker.sock:/var/run/docker.sock \
#     --group-add $(stat -c %g /var/run/docker.sock) \
#     -e SLIPWAY_URL=… -e SLIPWAY_WEBHOOK_SECRET=… -e SLIPWAY_GITHUB_TOKEN=… slipway
#
# The server is not root. --group-add lets it use the socket by the socket's
# group, whose number differs between hosts. Whoever may use that socket is in
# effect root on the host: give the container nothing else to guard.
#
# The port is published for the host alone, on which a proxy with HTTPS passes
# requests on. Published on all of the host's addresses, it is open to the steps
# of builds too: through Docker's own proxy they come with the same address as
# everybody else, so that slipway cannot tell them apart.

# Other images for the two stages, from a registry of your own for example:
# BUILD_BASE needs Go, BASE a shell, and git or apt-get.
ARG BUILD_BASE=golang:1.26
ARG BASE=debian:trixie-slim

FROM ${BUILD_BASE} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=unknown
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /out/slipway ./cmd/slipway

FROM ${BASE}
RUN set -e; \
    if ! command -v git >/dev/null || [ ! -e /etc/ssl/certs/ca-certificates.crt ]; then \
      apt-get update; \
      DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates git; \
      rm -rf /var/lib/apt/lists/*; \
    fi; \
    echo 'slipway:x:10001:' >>/etc/group; \
    echo 'slipway:x:10001:10001::/var/lib/slipway:/bin/false' >>/etc/passwd; \
    mkdir -p /var/lib/slipway; \
    chmod 0700 /var/lib/slipway; \
    chown 10001:10001 /var/lib/slipway
COPY --from=build /out/slipway /usr/local/bin/slipway
COPY LICENSE /usr/share/doc/slipway/LICENSE

ENV SLIPWAY_DATA=/var/lib/slipway
VOLUME /var/lib/slipway
EXPOSE 8080
USER slipway
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["slipway", "healthcheck"]
ENTRYPOINT ["slipway"]
CMD ["server"]

ARG VERSION=unknown
LABEL org.opencontainers.image.title="slipway" \
      org.opencontainers.image.description="Self-hosted CI for GitHub on one machine" \
      org.opencontainers.image.source="https://github.com/slipway-ci/slipway" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}"
