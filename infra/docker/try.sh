#!/usr/bin/env bash
# Builds the image and tries it, as --help says.
set -euo pipefail
cd "$(dirname "$0")/../.."

port=${1:-29080} image=${2:-}
usage="infra/docker/try.sh [port] [image]   builds the image out of the last commit, unless one is named, and makes every check
  of the conformance kit on it

  With the stores of an npm start of its own it runs four roles of the image: migrate into a new database, a core and a
  gateway, and operator, which has to see both; each as the image's user on a read-only root. Then it has
  tools/infra/bin/try-compose.mjs run the services of compose.yaml in the image, which needs more of Debian's packages:
  its --help names them. Ports from $port on are used, as
  npm start does.
  Needs root, debootstrap and buildah (base-images.sh). Exit code 1 if a check failed."
[ "$port" != --help ] || { printf '%s\n' "$usage" && exit; }

export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
dir=$(mktemp -d "${TMPDIR:-/tmp}/hooligram-image-XXXXXX")
pids=() container=''
stop_all() {
  for pid in ${pids[@]+"${pids[@]}"}; do kill "$pid" 2>/dev/null || true; done
  for pid in ${pids[@]+"${pids[@]}"}; do wait "$pid" || true; done
  pids=()
}
finish() {
  stop_all
  [ -z "$container" ] || buildah rm "$container" >/dev/null
  rm -rf "$dir"
}
trap finish EXIT

if [ -z "$image" ]; then
  image=localhost/hooligram
  infra/docker/base-images.sh
  git clone --quiet . "$dir/clone"
  buildah build --quiet --format docker --file "$dir/clone/infra/docker/Dockerfile" --tag "$image" \
    --build-arg NODE_IMAGE=localhost/hooligram-node --build-arg DEBIAN_IMAGE=localhost/hooligram-debian "$dir/clone"
fi
buildah images "$image"
container=$(buildah from --pull-never "$image")
root=$(buildah mount "$container")

npm start -- --gateways 1 --port "$port" --data-dir "$dir/data" >"$dir/start.log" 2>&1 &
pids+=($!)
stack=$dir/data/run/stack.json
until [ -e "$stack" ]; do
  kill -0 "${pids[0]}" 2>/dev/null || { cat "$dir/start.log" >&2 && exit 1; }
  sleep 0.5
done
store() { node -p "JSON.parse(require('fs').readFileSync('$stack')).$1.url"; }
database=$(node -p "Object.assign(new URL('$(store postgres)'), { pathname: '/image' }).href")

# A role of the image, as its user, on its root, which is read-only.
enter='
set -e
root=$1; shift
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 dev "$root/dev"
for name in null zero random urandom; do touch "$root/dev/$name"; mount --bind "/dev/$name" "$root/dev/$name"; done
exec chroot --userspec=10001:10001 --groups=10001 "$root" /srv/hooligram/run.sh "$@"
'
role() { # <role and its arguments> <VARIABLE=value>...
  exec env -i PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin ADMIN_HOST=127.0.0.1 REDIS_URL="$(store redis)" REDIS_PREFIX=image \
    DATABASE_URL="$database" "${@:2}" unshare --mount sh -c "$enter" sh "$root" $1 # in words
}
(role migrate)
(role core ADMIN_PORT=$((port + 61)) NUMBERS=assigned VERIFICATION_PROVIDER=fixed VERIFICATION_FIXED_CODE=000000 \
  LIMITS_ENABLED=false CREDENTIAL_KEY=a-key-for-a-trial-that-protects-nothing) >"$dir/core.log" 2>&1 &
pids+=($!)
(role gateway ADMIN_PORT=$((port + 60)) GATEWAY_HOST=127.0.0.1 GATEWAY_PORT=$((port + 50)) DRAIN_SECONDS=1) \
  >"$dir/gateway.log" 2>&1 &
pids+=($!)
for admin in $((port + 60)) $((port + 61)); do
  for ((tries = 0; ; tries += 1)); do
    ! node -e "fetch('http://127.0.0.1:$admin/readyz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))" || break
    [ $tries -lt 120 ] || { cat "$dir/core.log" "$dir/gateway.log" >&2 && exit 1; }
    sleep 0.5
  done
done
sed -n 's/.*"uwebsockets":"\([^"]*\)","node":"\([^"]*\)".*/uWebSockets.js \1, Node \2/p' "$dir/gateway.log"
(role 'operator status')
node tools/conformance/bin/hooligram-conformance.js --code 000000 --timeout-ms 60000 --url "ws://127.0.0.1:$((port + 50))/v2"
stop_all
node tools/infra/bin/try-compose.mjs "$root"
