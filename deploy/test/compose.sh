#!/usr/bin/env bash
# docker-compose.cluster.yml, for real and from nothing: images are built, three nodes and NATS start in containers, an
# object is put on one node and read on another, a container is killed, another is cut off the network, the cluster
# goes on, and heals. `npm run test:compose`, as root on Debian; what the containers said stays in the folder that the
# first line names.
#
# Docker and Compose are installed where they are missing. A daemon is used if one answers at DOCKER_HOST; otherwise one
# of our own is started, with its own data, socket and pid file, and stopped by its pid at the end. Where the images
# that the files name cannot be pulled, they are made of this machine's Debian and Node.
set -Eeuo pipefail
cd "$(dirname "$0")/../.."

WORK=$(mktemp -d -t agentstate-compose.XXXXXX)
LOGS=${COMPOSE_TEST_LOGS:-$WORK/logs}
mkdir -p "$LOGS"
PROJECT=agentstate-test-$$
NODE_IMAGE=$(sed -n 's/^ARG NODE_IMAGE=//p' Dockerfile)
NATS_IMAGE=$(sed -n 's/.*NATS_IMAGE:-\([^}]*\)}.*/\1/p' docker-compose.cluster.yml)
daemon=''
made=()

say() { echo "== $(date +%T) $*"; }
fail() {
  echo "FAIL $*" >&2
  exit 1
}
trap 'echo "FAIL line $LINENO: $BASH_COMMAND" >&2' ERR

# Debian's client builds with BuildKit by itself; others need a plugin for it.
docker() {
  if [ -x /usr/bin/docker ]; then /usr/bin/docker "$@"; else command docker "$@"; fi
}
compose() { docker-compose -p "$PROJECT" --env-file "$WORK/env" -f docker-compose.cluster.yml "$@"; }

finish() {
  local code=$?
  set +e
  if [ -f "$WORK/env" ] && docker info >/dev/null 2>&1; then
    compose logs --no-color >"$LOGS/containers.log" 2>&1
    compose down --volumes --timeout 5 >"$LOGS/down.log" 2>&1
    docker image rm --force agentstate-server:test agentstate-cli:test "${made[@]}" >/dev/null 2>&1
  fi
  if [ -n "$daemon" ]; then
    kill "$(cat "$WORK/docker.pid")"
    wait "$daemon"
    cp "$WORK/dockerd.log" "$LOGS/"
  fi
  [ "$LOGS" = "$WORK/logs" ] || rm -rf "$WORK"
  rm -rf "$WORK/data" "$WORK/exec" "$WORK/rootfs" "$WORK/env"
  if [ "$code" -eq 0 ]; then say "passed; logs in $LOGS"; else
    tail -n 25 "$LOGS"/*.log >&2
    echo "FAIL: logs in $LOGS" >&2
  fi
  exit "$code"
}
trap finish EXIT

install_packages() {
  local missing=()
  command -v dockerd >/dev/null || [ -x /usr/sbin/dockerd ] || missing+=(docker.io)
  command -v docker-compose >/dev/null || missing+=(docker-compose)
  command -v iptables >/dev/null || [ -x /usr/sbin/iptables ] || missing+=(iptables)
  command -v debootstrap >/dev/null || [ -x /usr/sbin/debootstrap ] || missing+=(debootstrap)
  command -v openssl >/dev/null || missing+=(openssl)
  command -v curl >/dev/null || missing+=(curl)
  [ "${#missing[@]}" -eq 0 ] && return
  say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
  apt-get update -q >"$LOGS/apt.log" 2>&1
  apt-get install -q -y --no-install-recommends "${missing[@]}" >>"$LOGS/apt.log" 2>&1
}

start_daemon() {
  if docker info >/dev/null 2>&1; then return; fi
  say "starting a docker daemon of our own"
  export DOCKER_HOST="unix://$WORK/docker.sock"
  PATH="$PATH:/usr/sbin:/sbin" dockerd --storage-driver=vfs --data-root="$WORK/data" --exec-root="$WORK/exec" \
    --host="$DOCKER_HOST" --pidfile="$WORK/docker.pid" >"$WORK/dockerd.log" 2>&1 &
  daemon=$!
  wait_for 60 "the docker daemon" docker info
}

# Waits until a command succeeds; its output is dropped.
wait_for() {
  local seconds=$1 what=$2 deadline
  shift 2
  deadline=$((SECONDS + seconds))
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || fail "waited $seconds s in vain for $what"
    sleep 0.3
  done
}

# The images that our files build on: pulled, or made here.
base_images() {
  if docker pull -q "$NODE_IMAGE" >"$LOGS/pull.log" 2>&1 &&
    docker pull -q "$NATS_IMAGE" >>"$LOGS/pull.log" 2>&1; then return; fi
  say "no image registry: making $NODE_IMAGE and $NATS_IMAGE of this machine"
  local root=$WORK/rootfs suite mirror
  suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
  mirror=$({ cat /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null || true; } |
    sed -n 's/^URIs: //p; s/^deb \(\[[^]]*\] \)\?\(http[^ ]*\) .*/\2/p' | sed -n 1p)
  [ -n "$mirror" ] || fail "no mirror of Debian is configured here, and no image registry answers"
  PATH="$PATH:/usr/sbin:/sbin" debootstrap --variant=minbase --include=ca-certificates,libstdc++6,nats-server \
    --components=main "$suite" "$root" "$mirror" >"$LOGS/debootstrap.log" 2>&1
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,locale,man}/*
  tar -C "$root" -c . | docker import -c 'ENTRYPOINT ["nats-server"]' - "$NATS_IMAGE" >/dev/null
  local modules
  modules=$(dirname "$(dirname "$(dirname "$(realpath "$(command -v npm)")")")")
  install -D "$(node -p process.execPath)" "$root/usr/local/bin/node"
  mkdir -p "$root/usr/local/lib/node_modules"
  cp -a "$modules/npm" "$root/usr/local/lib/node_modules/"
  ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
  rm -f "$root/usr/sbin/nats-server" "$root/usr/bin/nats-server"
  tar -C "$root" -c . |
    docker import -c 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' - "$NODE_IMAGE" >/dev/null
  made+=("$NODE_IMAGE" "$NATS_IMAGE")
  rm -rf "$root"
}

# How packages are reached is this machine's affair: it goes in as secrets, which no layer keeps.
build_images() {
  local secrets=() npmrc ca
  npmrc=$(npm config get userconfig)
  ca=${NODE_EXTRA_CA_CERTS:-$(npm config get cafile)}
  if [ -f "$npmrc" ]; then secrets+=(--secret "id=npmrc,src=$npmrc"); fi
  if [ -f "$ca" ]; then secrets+=(--secret "id=ca,src=$ca"); fi
  local target
  for target in server cli; do
    say "building agentstate-$target"
    DOCKER_BUILDKIT=1 docker build --progress=plain --network=host "${secrets[@]}" \
      --target "agentstate-$target" -t "agentstate-$target:test" . >"$LOGS/build-$target.log" 2>&1
  done
  local bytes
  bytes=$(docker image inspect -f '{{.Size}}' agentstate-server:test)
  say "agentstate-server: $((bytes / 1048576)) MiB"
  [ "$bytes" -lt $((350 * 1048576)) ] || fail "the image is larger than 350 MiB"
  [ "$(docker image inspect -f '{{.Config.User}}' agentstate-server:test)" = 10001:10001 ] || fail "the image runs as root"
}

cli() { docker run --rm --network none --read-only -e CAP_KEY_ACTIVE -e CAP_KEY_ACTIVE_ID agentstate-cli:test "$@"; }
container() { compose ps -q "$1"; }
url() { echo "http://127.0.0.1:$(docker port "$(container "$1")" 8080/tcp | head -1 | sed 's/.*://')"; }
object() { echo "$(url "$1")/v1/agent%3A%2F%2Fdemo/objects/$2"; }
put() { curl -sS --fail -m 5 -X PUT -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' -d "{\"body\":$3}" "$(object "$1" "$2")"; }
get() { curl -sS --fail -m 5 -H "authorization: Bearer $TOKEN" "$(object "$1" "$2")"; }
has() { get "$1" "$2" | grep -q "\"body\":$3"; }
healthy() { [ "$(docker inspect -f '{{.State.Health.Status}}' "$(container "$1")")" = healthy ]; }
ready() { docker exec "$(container "$1")" node /app/bin/agentstate health --ready; }

say "logs in $LOGS"
install_packages
start_daemon
base_images
build_images

# Ports are picked by the daemon, so that nothing that runs here is in the way.
: >"$WORK/env"
npm run --silent keys -- --file "$WORK/env"
cat >>"$WORK/env" <<END
AGENTSTATE_SERVER_IMAGE=agentstate-server:test
NODE_1_PORT=127.0.0.1:
NODE_2_PORT=127.0.0.1:
NODE_3_PORT=127.0.0.1:
END
set -a
# shellcheck source=/dev/null
. "$WORK/env"
set +a
TOKEN=$(cli token mint --ns agent://demo --ops PUT,GET,DELETE,WATCH --ttl 1h)

say "cluster up"
compose up -d --no-build >"$LOGS/up.log" 2>&1
for node in node-1 node-2 node-3; do wait_for 90 "$node to be healthy" healthy "$node"; done
for node in node-1 node-2 node-3; do wait_for 60 "$node to be ready" ready "$node"; done

say "put on node-1, get on node-2 and node-3"
wait_for 30 "a first write" put node-1 task-1 '{"n":1}'
has node-2 task-1 '{"n":1}' || fail "node-2 does not have what node-1 took"
has node-3 task-1 '{"n":1}' || fail "node-3 does not have what node-1 took"

say "node-1 killed: the others go on"
docker kill "$(container node-1)" >/dev/null
wait_for 30 "a write without node-1" put node-2 task-2 '{"n":2}'
has node-3 task-2 '{"n":2}' || fail "node-3 does not have what node-2 took"
compose up -d --no-build >>"$LOGS/up.log" 2>&1
wait_for 60 "node-1 to be ready again" ready node-1
has node-1 task-2 '{"n":2}' || fail "node-1 has not caught up"

say "node-3 cut off: the others go on, and it answers nothing that may be stale"
docker network disconnect "${PROJECT}_cluster" "$(container node-3)"
wait_for 30 "a write without node-3" put node-1 task-3 '{"n":3}'
if docker exec "$(container node-3)" node -e "fetch('http://127.0.0.1:8080/v1/agent%3A%2F%2Fdemo/objects/task-1',
  { headers: { authorization: 'Bearer $TOKEN' }, signal: AbortSignal.timeout(4000) })
  .then(({ status }) => process.exit(status === 200 ? 0 : 1), () => process.exit(1))"; then
  fail "a node without a quorum answered a linearizable read"
fi
docker network connect --alias node-3 "${PROJECT}_cluster" "$(container node-3)"
wait_for 60 "node-3 to be ready again" ready node-3
wait_for 20 "node-3 to have what it missed" has node-3 task-3 '{"n":3}'

say "a stop is clean"
compose stop >"$LOGS/stop.log" 2>&1
for node in node-1 node-2 node-3; do
  code=$(docker inspect -f '{{.State.ExitCode}}' "$(compose ps -q -a "$node" 2>/dev/null || container "$node")")
  [ "$code" = 0 ] || fail "$node stopped with exit code $code"
done
