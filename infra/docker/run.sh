#!/bin/sh
# The entry of the image: run.sh gateway|core|operator|migrate|canary|canary-user [options]
role=${1:-}
[ $# -eq 0 ] || shift
cd "$(dirname "$0")" || exit 1
# V8 lets the young generation of a gateway's heap grow to 32 MB and more, which sign-ins fill, and gives it back only at rest: with 16
# messages cost as much (docs/performance.md). What NODE_OPTIONS says wins, because it comes last.
[ "$role" != gateway ] || export NODE_OPTIONS="--max-semi-space-size=8 ${NODE_OPTIONS:-}"
case $role in
  gateway | core | operator | canary) exec node "apps/$role/dist/main.js" "$@" ;;
  canary-user) exec node apps/canary/dist/sign-up.js "$@" ;;
  migrate) exec node packages/db/dist/migrations/main.js "$@" ;;
esac
echo "the role must be gateway, core, operator, migrate, canary or canary-user, not \"$role\"" >&2
exit 2
