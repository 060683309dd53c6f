# Image for MCP over HTTP, or for a worker of a team: docs/install.md.
FROM node:22-bookworm-slim AS base
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates ffmpeg tini \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app

FROM base AS build
COPY package.json package-lock.json ./
# ffmpeg-static would download an ffmpeg that the image has already.
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build

# The emulators of compose.yaml, which need the packages for development.
FROM build AS cloud
ENV FFMPEG_PATH=/usr/bin/ffmpeg
USER node
ENTRYPOINT ["tini", "--", "node", "--import", "tsx", "scripts/emulated-cloud.ts"]

FROM build AS pruned
RUN npm prune --omit=dev --ignore-scripts && rm -rf node_modules/ffmpeg-static node_modules/.cache

FROM base
COPY --from=pruned /app/package.json /app/LICENSE /app/THIRD_PARTY_LICENSES ./
COPY --from=pruned /app/node_modules node_modules
COPY --from=pruned /app/dist dist
# For doctor, which lets an engine of one's own hear one.
COPY --from=pruned /app/demo/recordings demo/recordings
RUN install --directory --owner=node --group=node --mode=700 /data
USER node
ENV NODE_ENV=production FFMPEG_PATH=/usr/bin/ffmpeg SPEECH_DATA_DIR=/data
# Of the C library: more, one for each thread, keep some MB of free memory.
ENV MALLOC_ARENA_MAX=2
ENV SPEECH_HTTP_HOST=0.0.0.0 SPEECH_HTTP_PORT=8765 SPEECH_WORKER_PORT=8766
VOLUME /data
EXPOSE 8765
# A worker answers on a port of its own; the command of the container tells which of both runs.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
  CMD ["node", "-e", "const isWorker = require('node:fs').readFileSync('/proc/1/cmdline', 'utf8').split('\\0').includes('worker'); fetch(`http://127.0.0.1:${isWorker ? process.env.SPEECH_WORKER_PORT : process.env.SPEECH_HTTP_PORT}/healthz`).then(answer => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# tini passes SIGTERM on and collects what ffmpeg leaves. A stop may take as long as open requests to the provider.
STOPSIGNAL SIGTERM
ENTRYPOINT ["tini", "--", "node", "/app/dist/main.js"]
CMD ["http"]
