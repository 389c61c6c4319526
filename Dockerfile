# Two stages: the first compiles, the second holds what runs and nothing else. No embedded PostgreSQL, no tests, no compiler: production
# takes DATABASE_URL and key files.
FROM node:24.21.0-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY migrations migrations
COPY src src
# The compiler is an optional dependency's binary, so optional ones leave only after the build.
RUN node scripts/build.mjs --force && npm prune --omit=dev --omit=optional --ignore-scripts

FROM node:24.21.0-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY scripts/healthy.mjs scripts/
COPY package.json LICENSE ./
RUN mkdir -p /var/lib/gatehouse && chown node:node /var/lib/gatehouse
ENV GATEHOUSE_DATA_DIR=/var/lib/gatehouse GATEHOUSE_HOST=0.0.0.0
USER node
VOLUME /var/lib/gatehouse
EXPOSE 8443 9443
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s CMD ["node", "scripts/healthy.mjs"]
ENTRYPOINT ["node", "dist/src/cli/main.js"]
CMD ["start"]
