#!/usr/bin/env bash
# Makes what the Dockerfile begins with, where no registry of images can be reached: localhost/hooligram-debian (Debian
# 13) and localhost/hooligram-node (the same with a Node and npm), for buildah.
set -euo pipefail

usage="infra/docker/base-images.sh [folder]   makes localhost/hooligram-debian and localhost/hooligram-node

  Needs root, debootstrap and buildah. Debian's mirror and npm's registry are those that this machine uses, and so is
  the npm. The folder (${TMPDIR:-/tmp}/hooligram-images) keeps what was downloaded."
[ "${1:-}" != --help ] || { printf '%s\n' "$usage" && exit; }

dir=${1:-${TMPDIR:-/tmp}/hooligram-images} node=24
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
mkdir -p "$dir"

if [ ! -e "$dir/debian" ]; then
  mirror=$(apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' | sed -n 's/^Debian //p' | head -n 1)
  [ -n "$mirror" ] || { echo "apt's sources on this machine name no mirror of Debian" >&2 && exit 1; }
  rm -rf "$dir/debian.new"
  debootstrap --variant=minbase --include=ca-certificates trixie "$dir/debian.new" "$mirror"
  # As the public slim image: no lists, no archives, no manuals.
  rm -rf "$dir"/debian.new/var/{lib/apt/lists,cache/apt,log}/* "$dir"/debian.new/usr/share/{doc,man,info,locale}/*
  # Which mirror it was is nobody's business in an image.
  rm -f "$dir"/debian.new/etc/apt/sources.list "$dir"/debian.new/etc/apt/sources.list.d/*
  mv "$dir/debian.new" "$dir/debian"
fi

if [ ! -e "$dir/node" ]; then
  rm -rf "$dir/node.new"
  package=node-$(node -p '`${process.platform}-${process.arch}`')
  npm install --prefix "$dir/node.new/npm" --ignore-scripts --no-audit --no-fund --no-save "$package@$node"
  root=$dir/node.new/root/usr/local
  install -D "$dir/node.new/npm/node_modules/$package/bin/node" "$root/bin/node"
  mkdir -p "$root/lib/node_modules" "$root/etc"
  cp -r "$(npm root --global)/npm" "$root/lib/node_modules/npm"
  for file in npm npx; do ln -s "../lib/node_modules/npm/bin/$file-cli.js" "$root/bin/$file"; done
  printf 'registry=%s\n' "$(npm config get registry)" >"$root/etc/npmrc"
  # The certificates that this machine trusts beside Debian's.
  if [ -s "${NODE_EXTRA_CA_CERTS:-}" ]; then
    install -D "$NODE_EXTRA_CA_CERTS" "$root/etc/ca.pem"
    printf 'cafile=/usr/local/etc/ca.pem\n' >>"$root/etc/npmrc"
  fi
  mv "$dir/node.new" "$dir/node"
fi

image() { # <name> <from> <folder> [option of buildah config]...
  local container
  container=$(buildah from --pull-never "$2")
  buildah add --quiet "$container" "$3" / >/dev/null
  buildah config "${@:4}" "$container"
  buildah commit --quiet --rm --format docker "$container" "$1" >/dev/null
}
image localhost/hooligram-debian scratch "$dir/debian"
# pnpm asks no npmrc for certificates. The last stage of the Dockerfile begins with the other image, so it has none of this.
trusted=()
[ ! -e "$dir/node/root/usr/local/etc/ca.pem" ] ||
  trusted=(--env NODE_EXTRA_CA_CERTS=/usr/local/etc/ca.pem --env SSL_CERT_FILE=/usr/local/etc/ca.pem)
image localhost/hooligram-node localhost/hooligram-debian "$dir/node/root" ${trusted[@]+"${trusted[@]}"}
