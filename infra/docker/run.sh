#!/bin/sh
# The entry of the image: run.sh gateway|core|operator|migrate [options]
role=${1:-}
[ $# -eq 0 ] || shift
cd "$(dirname "$0")" || exit 1
case $role in
  gateway | core | operator) exec node "apps/$role/dist/main.js" "$@" ;;
  migrate) exec node packages/db/dist/migrations/main.js "$@" ;;
esac
echo "the role must be gateway, core, operator or migrate, not \"$role\"" >&2
exit 2
