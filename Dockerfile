# Images `agentstate-server` and `agentstate-cli` (targets of the same names), reproducible from package-lock.json:
#   docker build --target agentstate-server -t agentstate-server .
# Another registry of packages is a matter of the machine, and given as secrets that no layer keeps:
#   docker build --secret id=npmrc,src=$HOME/.npmrc --secret id=ca,src=/etc/ssl/certs/ca-certificates.crt …
ARG NODE_IMAGE=node:22-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
ENV NPM_CONFIG_USERCONFIG=/run/secrets/npmrc NODE_EXTRA_CA_CERTS=/run/secrets/ca
COPY package.json package-lock.json .npmrc ./
# The native module comes prebuilt for x86-64; elsewhere it is compiled here, so that no compiler ends up in the image.
RUN --mount=type=secret,id=npmrc --mount=type=secret,id=ca npm ci --no-update-notifier \
 && if [ "$(uname -m)" != x86_64 ]; then \
      apt-get update && apt-get install -y --no-install-recommends build-essential cmake python3 \
      && npm rebuild --ignore-scripts=false --build-from-source @nxtedition/rocksdb; \
    fi
# Few layers: engines without a file system in layers copy everything for each. What comes in is in .dockerignore; what
# goes out is in /image, as it will be found.
COPY . .
RUN node_modules/.bin/tsc -p tsconfig.build.json --sourceMap false \
 && rm -rf dist/bench dist/tools dist/libs/testkit dist/.tsbuildinfo \
 && npm prune --omit=dev --offline \
 && find node_modules \( -name '*.map' -o -name '*.d.ts' -o -name '*.md' \) -delete \
 && mkdir -p /image/app /image/data \
 && mv node_modules dist package.json LICENSE bin /image/app/

FROM ${NODE_IMAGE} AS program
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="AgentState" \
      org.opencontainers.image.description="A state store for AI agents: clustered, multi-region, watched live" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENV NODE_ENV=production DATA_DIR=/data
COPY --from=build /image/app /app
# The user has a number and no name, so that orchestrators can see that it is not root. Everything but /data may be
# read-only.
COPY --from=build --chown=10001:10001 /image/data /data
WORKDIR /app
USER 10001:10001
VOLUME /data
# The flag is the one in the first line of bin/agentstate.
ENTRYPOINT ["node", "--max-semi-space-size=32", "--heap-growing-percent=300", "/app/bin/agentstate"]

FROM program AS agentstate-cli
CMD ["--help"]

# The node program is process 1: it handles SIGTERM and SIGUSR2 itself and starts no processes of its own.
FROM program AS agentstate-server
EXPOSE 8080 9090 7400
HEALTHCHECK --interval=5s --timeout=4s --start-period=60s --retries=3 CMD ["node", "/app/bin/agentstate", "health"]
CMD ["serve"]
