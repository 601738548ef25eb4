#!/bin/sh
# The worker's container, tried where no image can be pulled and no container engine runs: buildah follows the Containerfile as it is, on a
# base that debootstrap makes; the program was built before, in place of the first stage. bubblewrap is the engine: a root
# of its own, the container's user, no privileges, the host's network (as `podman run --network host`).
#   infra/deploy/try-container.sh make target/debug/countersign DIR     once, as root; the program with the feature aws
#   infra/deploy/try-container.sh run DIR [worker --lanes sandbox]      COUNTERSIGN_* and AWS_* as the worker needs them
# COUNTERSIGN_HOME has to be there and is the volume. Needed: debootstrap, buildah, bubblewrap (Debian packages).
set -eu
clone=$(cd "$(dirname "$0")/../.." && pwd)
user=10001 # the Containerfile's

make() {
    program=$1 dir=$2
    mkdir -p "$dir/built/src/target/dist" "$dir/nothing"
    [ -e "$dir/debian/usr/bin/git" ] ||
        debootstrap --variant=minbase --include=bubblewrap,ca-certificates,git bookworm "$dir/debian"
    cp "$program" "$dir/built/src/target/dist/countersign"
    images() { buildah --storage-driver vfs --root "$dir/images" --runroot "$dir/run" "$@"; }
    base=$(images from scratch)
    images add --quiet "$base" "$dir/debian" /
    images commit --quiet --rm "$base" localhost/base >/dev/null
    images build --isolation chroot --build-arg BASE=localhost/base --build-context build="$dir/built" \
        --file "$clone/infra/deploy/Containerfile" --tag localhost/worker "$dir/nothing"
    rm -rf "$dir/root"
    cp -a "$(images mount "$(images from --pull-never localhost/worker)")" "$dir/root"
}

run() {
    dir=$1
    shift
    home=${COUNTERSIGN_HOME:?names the volume}
    [ $# -gt 0 ] || set -- worker --lanes sandbox
    [ "$(id -u)" != 0 ] || chown "$user:$user" "$home"
    # The volume is where it is outside too, so that who looks from there finds it.
    exec setpriv --reuid $user --regid $user --clear-groups --inh-caps=-all --bounding-set=-all \
        bwrap --unshare-user --unshare-pid --unshare-ipc --unshare-uts --die-with-parent \
        --ro-bind "$dir/root" / --proc /proc --dev /dev --tmpfs /tmp --tmpfs /run \
        --bind "$home" "$home" --chdir / \
        countersign "$@"
}

"$@"
