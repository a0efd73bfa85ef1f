#!/bin/sh
# Builds a gateway, a core, the command of operators, the canary and the migrations out of a clean clone, and copies what
# they need to run, and nothing else.
# Usage, at the root of the clone: assemble.sh <folder>
set -eu
to=$1
packages='apps/gateway apps/core apps/operator apps/canary packages/bus packages/client packages/contract packages/db packages/protocol packages/service packages/uws'
version=$(node -p 'require("./package.json").packageManager')
pnpm() { CI=true pnpm_config_pm_on_fail=ignore npx --yes "--package=$version" -- pnpm "$@"; }

apps="--filter-prod @hooligram/gateway... --filter-prod @hooligram/core... --filter-prod @hooligram/operator... --filter-prod @hooligram/canary..."

# The programs and what they are made of, without the tools that test them.
# shellcheck disable=SC2086
pnpm install --frozen-lockfile --prod=false --filter hooligram $apps
# shellcheck disable=SC2086
pnpm $apps run build

# Again, without what only the build needs.
rm -rf node_modules ./*/*/node_modules
# shellcheck disable=SC2086
pnpm install --frozen-lockfile --prod --prefer-offline $apps

mkdir -p "$to/prisma"
cp package.json "$to"
cp infra/docker/run.sh "$to"
cp -a node_modules "$to"
cp -a prisma/migrations "$to/prisma"
for each in $packages; do
  mkdir -p "$to/$each"
  for part in package.json dist node_modules sql releases.json; do
    [ ! -e "$each/$part" ] || cp -a "$each/$part" "$to/$each"
  done
done

# Types and source maps, Prisma's compilers for other databases, and the uWebSockets.js of every other machine.
find "$to" -type f \( -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.map' \) -delete
find "$to/node_modules" -type f -path '*/@prisma/client/runtime/*' \
  \( -name '*.mysql.*' -o -name '*.sqlite.*' -o -name '*.sqlserver.*' -o -name '*.cockroachdb.*' \) -delete
find "$to/node_modules" -type f -name 'uws_*.node' \
  ! -name "$(node -p '`uws_${process.platform}_${process.arch}_${process.versions.modules}.node`')" -delete
