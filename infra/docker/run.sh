#!/bin/sh
# The entry of the image: run.sh gateway|core|operator|migrate|canary|canary-user [options]
role=${1:-}
[ $# -eq 0 ] || shift
cd "$(dirname "$0")" || exit 1
# V8 lets the young generation of a heap grow to 32 MB and more. Sign-ins fill that of a gateway, and V8 gives it back only at rest: with
# 16 messages cost as much. In a core collections are shorter with 8, and CPU is the same (docs/performance.md). What NODE_OPTIONS says
# wins, because it comes last.
[ "$role" != gateway ] || export NODE_OPTIONS="--max-semi-space-size=8 ${NODE_OPTIONS:-}"
[ "$role" != core ] || export NODE_OPTIONS="--max-semi-space-size=4 ${NODE_OPTIONS:-}"
case $role in
  gateway | core | operator | canary) exec node "apps/$role/dist/main.js" "$@" ;;
  canary-user) exec node apps/canary/dist/sign-up.js "$@" ;;
  migrate) exec node packages/db/dist/migrations/main.js "$@" ;;
esac
echo "the role must be gateway, core, operator, migrate, canary or canary-user, not \"$role\"" >&2
exit 2
