#!/bin/sh
# The entry of the image: run.sh gateway|core|operator|migrate|canary|canary-user [options]
role=${1:-}
[ $# -eq 0 ] || shift
cd "$(dirname "$0")" || exit 1
case $role in
  gateway | core | operator | canary) exec node "apps/$role/dist/main.js" "$@" ;;
  canary-user) exec node apps/canary/dist/sign-up.js "$@" ;;
  migrate) exec node packages/db/dist/migrations/main.js "$@" ;;
esac
echo "the role must be gateway, core, operator, migrate, canary or canary-user, not \"$role\"" >&2
exit 2
