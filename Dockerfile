# The gateway with the demo page in it, as one static program on Alpine.
#
#   docker build --tag presence-gateway .
#   docker run --publish 18789:18789 --env OPENCLAW_GATEWAY_TOKEN presence-gateway
#
# Inside, the gateway listens on all addresses, so it needs a secret.
FROM node:22-bookworm-slim AS node

FROM rust:1-bookworm AS build
COPY --from=node /usr/local/bin/node /usr/local/bin/
COPY --from=node /usr/local/lib/node_modules /usr/local/lib/node_modules
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \
 && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx
WORKDIR /source
COPY . .
RUN cargo xtask build \
 && cp target/dist/*-unknown-linux-musl/release/presence-gateway /presence-gateway

FROM alpine:3
COPY --from=build /presence-gateway /usr/local/bin/
# nobody
USER 65534:65534
ENV OPENCLAW_GATEWAY_BIND=lan
EXPOSE 18789
# With a certificate: `--health-cmd "wget --no-check-certificate -qO /dev/null https://127.0.0.1:18789/healthz"`.
HEALTHCHECK --interval=30s --timeout=3s CMD ["wget", "-qO", "/dev/null", "http://127.0.0.1:18789/healthz"]
ENTRYPOINT ["presence-gateway"]
CMD ["serve"]
