#!/usr/bin/env bash
# Tries a clean clone of this repository in fresh roots of Debian, as --help says.
set -euo pipefail
repository=$(cd "$(dirname "$0")/../.." && pwd)

debian=12,13 node=20,22,24 user=root what=start part='' uws='' port=18080 minutes=30 dir=${TMPDIR:-/tmp}/hooligram-debian

usage="infra/local/debian.sh [flags]   tries the last commit in fresh roots of Debian

  --debian 12,13         releases
  --node 20,22,24        versions of Node that npm has; debian is what the packages nodejs and npm of Debian bring
  --user root,person     as root, or as a user who may install nothing (what CONTRIBUTING.md asks for is installed)
  --what start,test      npm start until it is ready, Ctrl-C, and once more; npm test
  --part PATH            what npm test runs, such as packages/uws; everything without it
  --uws NAME             the uWebSockets.js of all gateways, such as 20.30; the newest without it
  --port P               for npm start ($port); the network is that of this machine
  --minutes N            a try that takes longer is ended ($minutes)
  --dir D                where the roots and the logs are kept ($dir); one run of this at a time
  --help                 this text

  Needs root, debootstrap and util-linux; Debian's mirror and npm's registry are those that this machine uses. What
  is mounted and started is in namespaces of its own, and goes with them. Exit code 1 if a try did not end well."

fail() {
  printf '%s\n' "$1" >&2
  exit 1
}

while [ $# -gt 0 ]; do
  case $1 in
    --help) printf '%s\n' "$usage" && exit ;;
    --*=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" ;;
    --debian | --node | --user | --what | --part | --uws | --port | --minutes | --dir)
      [ $# -gt 1 ] || fail "$1 needs a value; see --help"
      printf -v "${1#--}" %s "$2"
      shift 2
      ;;
    *) fail "Unknown option '$1'; see --help" ;;
  esac
done

# The items of a flag's list. Without known ones, any.
list() { # <flag> <text> [<known>...]
  local item
  [ -n "${2//,/}" ] || fail "--$1 must not be empty; see --help"
  for item in ${2//,/ }; do
    [ $# -eq 2 ] || [[ " ${*:3} " = *" $item "* ]] || fail "--$1 must be some of ${*:3}, not \"$2\"; see --help"
    printf '%s\n' "$item"
  done
}
releases=$(list debian "$debian" 12 13)
nodes=$(list node "$node")
users=$(list user "$user" root person)
tries=$(list what "$what" start test)
[[ $minutes =~ ^[1-9][0-9]*$ ]] || fail '--minutes must be a number; see --help'
[ "$(id -u)" = 0 ] || fail 'this makes roots of Debian: run it as root'

clone=/srv/hooligram
suite() { [ "$1" = 12 ] && echo bookworm || echo trixie; }

# Runs in namespaces of its own for mounts and processes: both go when it ends, however it ends.
enter='
set -e
root=$1; id=$2; shift 2
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 dev "$root/dev"
for name in null zero full random urandom tty; do
  touch "$root/dev/$name"
  mount --bind "/dev/$name" "$root/dev/$name"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ln -s fd/0 "$root/dev/stdin"
ln -s fd/1 "$root/dev/stdout"
ln -s fd/2 "$root/dev/stderr"
# This shell stays, as root: what becomes another user forgets that it ends with its parent.
code=0
chroot --userspec="$id:$id" --groups="$id" "$root" sh -c "cd $0 && exec \"\$@\"" sh "$@" || code=$?
exit $code
'

# Runs a command in the clone of the root. If this script is killed, or the time is up, all of it is killed.
run_in() { # <user> <command>...
  local id=0 home=/root name kept=()
  [ "$1" = root ] || { id=1000 home=/home/person; }
  for name in NODE_EXTRA_CA_CERTS http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
    [ -z "${!name:-}" ] || kept+=("$name=${!name}")
  done
  local die=(setpriv --pdeathsig KILL)
  env -i "${kept[@]}" HOME=$home PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
    TERM=dumb UWEBSOCKETS="$uws" CI="${CI_INSIDE:-}" \
    "${die[@]}" timeout --foreground -s KILL "${minutes}m" "${die[@]}" \
    unshare --mount --pid --fork --kill-child=SIGKILL sh -c "$enter" "$clone" "$root" $id "${@:2}" 2>&1 | tee -a "$log"
  return "${PIPESTATUS[0]}"
}

# Makes $root: Debian, a Node, an account and a clean clone of the last commit. What all tries share is made once.
prepare() { # <release> <node> <user>
  local base=$dir/debian-$1 node_dir=$dir/node-$2 packages=() page mirror file
  mkdir -p "$dir/roots"
  if [ ! -e "$base" ]; then
    # The one that this machine's apt uses.
    mirror=$(apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' | sed -n 's/^Debian //p' | head -n 1)
    [ -n "$mirror" ] || fail "apt's sources on this machine name no mirror of Debian"
    rm -rf "$base.new"
    debootstrap --variant=minbase --include=ca-certificates "$(suite "$1")" "$base.new" "$mirror"
    # No package starts a service in here.
    printf '#!/bin/sh\nexit 101\n' >"$base.new/usr/sbin/policy-rc.d"
    chmod 755 "$base.new/usr/sbin/policy-rc.d"
    mv "$base.new" "$base"
  fi
  rm -rf "$root"
  cp -a --reflink=auto "$base" "$root"
  if [ "$2" = debian ]; then
    packages=(nodejs npm)
  else
    [ -e "$node_dir/node_modules/node/bin/node" ] ||
      npm install --prefix "$node_dir" --no-audit --no-fund --no-save "node@$2"
    cp "$node_dir/node_modules/node/bin/node" "$root/usr/local/bin/node"
    # The npm of this machine.
    mkdir -p "$root/usr/local/lib/node_modules"
    cp -r "$(npm root --global)/npm" "$root/usr/local/lib/node_modules/npm"
    for file in npm npx; do ln -s "../lib/node_modules/npm/bin/$file-cli.js" "$root/usr/local/bin/$file"; done
  fi
  # The registry that this machine uses; an account that is made gets what is in skel.
  for file in root etc/skel; do printf 'registry=%s\n' "$(npm config get registry)" >"$root/$file/.npmrc"; done
  for file in /etc/resolv.conf /etc/hosts "${NODE_EXTRA_CA_CERTS:-}"; do
    [ ! -s "$file" ] || install -D "$file" "$root$file"
  done
  git clone --quiet --no-hardlinks "$repository" "$root$clone"
  if [ "$3" = person ]; then
    run_in root sh -ec "useradd --create-home --uid 1000 person && chown -R person:person $clone" >/dev/null
    # A user who may install nothing: what the page for them says is installed.
    read -ra page <<<"$(sed -n 's/^sudo apt-get install --no-install-recommends //p' "$repository/CONTRIBUTING.md")"
    packages+=("${page[@]}")
  fi
  [ ${#packages[@]} -eq 0 ] || run_in root sh -ec "apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ${packages[*]}" >/dev/null
}

# What a terminal does: it gives a command a process group of its own, and Ctrl-C goes to all of the group. Here any
# line on standard input is the Ctrl-C.
terminal='
const { spawn } = require("node:child_process");
const [program, ...args] = process.argv.slice(1);
const child = spawn(program, args, { detached: true, stdio: ["ignore", "inherit", "inherit"] });
process.stdin.once("data", () => process.kill(-child.pid, "SIGINT"));
child.on("exit", (code) => process.exit(code ?? 1));
'

# npm start at a terminal until it is ready, then Ctrl-C. Leaves $result, and what it ran on in $ran_on.
start_once() {
  local from=$SECONDS ready='' stopped='' line code=0 gateway=$root$clone/.data/log/gateway-1.log
  exec 3<> <(:)
  while IFS= read -r line; do
    printf '%s\n' "$line"
    if [[ -z $ready && $line = *'is ready'* ]]; then
      ready=$((SECONDS - from))
      echo Ctrl-C >&3
    fi
    [ "$line" != stopped ] || stopped=yes
  done < <(run_in "$1" node -e "$terminal" npm start -- --port "$port" <&3)
  wait $! || code=$?
  exec 3>&-
  ran_on=$(sed -n 's/.*"uwebsockets":"\([^"]*\)".*"node":"\([^"]*\)".*/Node \2, uWebSockets.js \1/p' "$gateway" 2>/dev/null | head -n 1 || true)
  result="ready after $ready s"
  [ -n "$ready" ] || { result="not ready, exit code $code: see $log" && return 1; }
  [ "$code$stopped" = 0yes ] || { result="ready, but Ctrl-C ended it with $code: see $log" && return 1; }
}

# And the same once more, when all is installed.
try_start() {
  start_once "$1" || return
  local first=${result#ready after }
  start_once "$1" || return
  result="ready after $first, again after ${result#ready after }"
}

try_test() {
  local from=$SECONDS code=0 words=()
  read -ra words <<<"$part"
  CI_INSIDE=true run_in "$1" npm test ${words[@]+-- "${words[@]}"} || code=$?
  result="$(sed -n 's/^Tests:  *//p' "$log" | tail -n 1)"
  result="${result:-no test ran} after $((SECONDS - from)) s"
  [ $code -eq 0 ] || result+=", exit code $code: see $log ($(sed -n 's/^FAIL \([^ ]*\).*/\1/p' "$log" | sort -u | paste -sd' '))"
  return $code
}

table='| Debian | Node | user | what | ran on | result |'$'\n''|---|---|---|---|---|---|'
bad=0
for debian in $releases; do
  for node in $nodes; do
    for user in $users; do
      printf 'Debian %s, Node %s, %s\n' "$debian" "$node" "$user"
      root=$dir/roots/$debian-$node-$user log=$dir/$debian-$node-$user.log
      for what in $tries; do
        from=$SECONDS ran_on='' result=''
        mkdir -p "$dir" && : >"$log"
        # Not as a condition: in one, set -e does nothing.
        set +e
        (set -e; prepare "$debian" "$node" "$user") >>"$log" 2>&1
        made=$?
        set -e
        if [ $made -ne 0 ]; then
          result="the root could not be made: see $log" bad=1
        else
          "try_$what" "$user" >/dev/null || bad=1
        fi
        printf '  %s: %s (%s s with the making of the root)\n' "$what" "$result" $((SECONDS - from))
        table+=$'\n'"| $debian | $node | $user | npm $what | $ran_on | $result |"
      done
    done
  done
done
printf '\n%s\n' "$table"
exit $bad
