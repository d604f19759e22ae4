#!/usr/bin/env bash
# The images and both Compose files, for real and from nothing: images are built; one node is run, snapshotted and
# restored as the quick start has it, and run with TLS; three nodes and NATS start, an object is put on one node and read
# on another, a container is killed, another is cut off the network, the cluster goes on, and heals; all are restarted
# one by one.
# `npm run test:compose`; what was said on the way stays in the folder that the first line names.
#
# Containers are asked through ports that are published on 127.0.0.1. Exit code 77, with a line that says why: there is
# no container engine here, and none can be installed and started; see engine.sh.
set -Eeuo pipefail
cd "$(dirname "$0")/../.."

WORK=$(mktemp -d -t agentstate-compose.XXXXXX)
LOGS=${COMPOSE_TEST_LOGS:-$WORK/logs}
mkdir -p "$LOGS"
PROJECT=agentstate-test-$$
NODE_IMAGE=$(sed -n 's/^ARG NODE_IMAGE=//p' Dockerfile)
NATS_IMAGE=$(sed -n 's/.*NATS_IMAGE:-\([^}]*\)}.*/\1/p' docker-compose.cluster.yml)
SERVER_IMAGE=agentstate-server:test
CLI_IMAGE=agentstate-cli:test
IMAGE_BYTES_MAX=350000000
# The rest is for a base that is larger than one that is made here: node:22-bookworm-slim has about 230 MB.
OUR_BYTES_MAX=110000000
# shellcheck source=deploy/test/engine.sh
. deploy/test/engine.sh

finish() {
  local code=$?
  trap '' INT TERM
  trap - ERR
  set +e
  CALL_SECONDS_MAX=20
  if docker info >/dev/null 2>&1; then
    compose logs --no-color >"$LOGS/containers.log" 2>&1
    compose down --volumes --timeout 5 >"$LOGS/down.log" 2>&1
    single logs --no-color >"$LOGS/single.log" 2>&1
    single down --volumes --timeout 5 >>"$LOGS/down.log" 2>&1
    docker rm --force --volumes "$PROJECT-quickstart"
    docker volume rm "$PROJECT-quickstart"
    docker network rm "$PROJECT"
    # A daemon of our own goes with all that it has.
    [ -n "$daemon" ] || docker image rm --force "$SERVER_IMAGE" "$CLI_IMAGE" "${made[@]}"
  fi >/dev/null 2>&1
  stop_engine
  find "$WORK" -mindepth 1 -maxdepth 1 ! -name logs -exec rm -rf {} +
  rmdir "$WORK" 2>/dev/null
  case $code in
    0) say "passed in $SECONDS s; logs in $LOGS" ;;
    "$LEFT_OUT") ;;
    *)
      tail -n 25 "$LOGS"/*.log >&2
      echo "FAIL: logs in $LOGS" >&2
      ;;
  esac
  exit "$code"
}
trap finish EXIT
trap 'exit 143' INT TERM
trap 'echo "FAIL line $LINENO: $BASH_COMMAND" >&2' ERR

# How packages are reached is this machine's affair: it goes in as secrets, which no layer keeps.
build_images() {
  local secrets=() npmrc ca target bytes ours
  npmrc=$(npm config get userconfig)
  ca=${NODE_EXTRA_CA_CERTS:-$(npm config get cafile)}
  if [ -f "$npmrc" ]; then secrets+=(--secret "id=npmrc,src=$npmrc"); fi
  if [ -f "$ca" ]; then secrets+=(--secret "id=ca,src=$ca"); fi
  for target in server cli; do
    say "building agentstate-$target"
    DOCKER_BUILDKIT=1 docker build --progress=plain --network=host "${secrets[@]}" \
      --target "agentstate-$target" -t "agentstate-$target:test" . >"$LOGS/build-$target.log" 2>&1
    bytes=$(docker image inspect -f '{{.Size}}' "agentstate-$target:test")
    ours=$((bytes - $(docker image inspect -f '{{.Size}}' "$NODE_IMAGE")))
    say "agentstate-$target: $((bytes / 1000000)) MB, $((ours / 1000000)) MB of it ours"
    [ "$bytes" -lt "$IMAGE_BYTES_MAX" ] || fail "agentstate-$target is larger than $IMAGE_BYTES_MAX bytes"
    [ "$ours" -lt "$OUR_BYTES_MAX" ] || fail "agentstate-$target adds more than $OUR_BYTES_MAX bytes to its base"
    [ "$(docker image inspect -f '{{.Config.User}}' "agentstate-$target:test")" = 10001:10001 ] ||
      fail "agentstate-$target runs as root"
  done
  [ "$(docker image inspect -f '{{json .Config.Healthcheck.Test}}' "$SERVER_IMAGE")" = '["CMD","node","/app/bin/agentstate","health"]' ] ||
    fail 'the image has no healthcheck of its own'
}

compose() { docker_compose -p "$PROJECT" --env-file "$WORK/env" -f docker-compose.cluster.yml "$@"; }
single() { docker_compose -p "$PROJECT-single" --env-file "$WORK/env.single" -f "$WORK/docker-compose.yml" "$@"; }
# A command on the volume of a node that is stopped, or on nothing.
# A stopped node is looked at by way of a temporary folder.
cli() { docker run --rm --network none --read-only --tmpfs /tmp "$@"; }

# The container of a service of either file.
container() {
  docker ps -aq --filter "label=com.docker.compose.service=$1" --filter "label=com.docker.compose.oneoff=False" \
    --filter "name=$PROJECT"
}
url() { echo "http://127.0.0.1:$(docker port "$1" "${2:-8080}/tcp" | head -n 1 | sed 's/.*://')"; }
object() { echo "$(url "$(container "$1")")/v1/agent%3A%2F%2Fdemo/objects/$2"; }
put() { curl -sS --fail -m 5 -X PUT -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' -d "{\"body\":$3}" "$(object "$1" "$2")"; }
get() { curl -sS --fail -m 5 -H "authorization: Bearer $TOKEN" "$(object "$1" "$2")"; }
has() { get "$1" "$2" | grep -F "\"body\":$3" >/dev/null; }
is_healthy() { [ "$(docker inspect -f '{{.State.Health.Status}}' "$1")" = healthy ]; }
healthy() { is_healthy "$(container "$1")"; }
ready() { curl -sS --fail -m 5 "$(url "$(container "$1")")/ready"; }
leaves() { [ "$(curl -sS -m 5 -o /dev/null -w '%{http_code}' "$(url "$(container "$1")")/ready")" = 503 ]; }
stopped_cleanly() {
  local code
  code=$(docker inspect -f '{{.State.ExitCode}}' "$(container "$1")")
  [ "$code" = 0 ] || fail "$1 stopped with exit code $code"
}

# What the image and the Compose files promise of a running node: no root, no capability, a disk that can be written to
# in /data alone, and nothing that is there only for a healthcheck.
check_hardening() {
  local id
  id=$(container "$1")
  [ "$(docker inspect -f '{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}}' "$id")" = \
    'true [ALL] [no-new-privileges:true]' ] || fail "$1 has more rights than it needs"
  docker exec "$id" /bin/sh -c '[ "$(stat -c %u /proc/1)" = 10001 ]' || fail "$1 runs as root"
  docker exec "$id" /bin/sh -c 'touch /data/probe && rm /data/probe' || fail "$1 cannot write to /data"
  # Everyone may write to /tmp, unless it is read-only.
  ! docker exec "$id" /bin/sh -c 'touch /tmp/probe' 2>/dev/null || fail "the root file system of $1 can be written to"
  ! docker exec "$id" /bin/sh -c 'command -v curl wget' >/dev/null || fail 'the image has a program for downloads'
}

# Starts a node by `docker run`, as the quick start has it, with further options.
run_one_node() {
  docker run -d --name "$PROJECT-quickstart" --network "$PROJECT" -p 127.0.0.1::8080 -p 127.0.0.1::9090 -e DATA_DIR=/data \
    -e REGION=us-west-2 -e CAP_KEY_ACTIVE_ID=active -e CAP_KEY_ACTIVE="$KEY" -v "$PROJECT-quickstart:/data" "$@" \
    "$SERVER_IMAGE" >/dev/null
}

walk_docker_run() {
  say 'one node: docker run'
  run_one_node
  wait_for 60 'the node to be ready' curl -sS --fail "$(url "$PROJECT-quickstart")/ready"
  curl -sS --fail "$(url "$PROJECT-quickstart" 9090)/metrics" | grep '^watch_' >"$LOGS/watch-metrics.log"
  docker rm --force "$PROJECT-quickstart" >/dev/null

  say 'one node: TLS, and certificates of clients'
  local tls=$WORK/tls name https
  mkdir "$tls"
  openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=authority -keyout "$tls/ca-key.pem" -out "$tls/ca.pem" 2>"$LOGS/openssl.log"
  for name in server client; do
    openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj "/CN=$name" -addext 'subjectAltName=IP:127.0.0.1' \
      -addext 'basicConstraints=critical,CA:FALSE' -CA "$tls/ca.pem" -CAkey "$tls/ca-key.pem" \
      -keyout "$tls/$name-key.pem" -out "$tls/$name.pem" 2>>"$LOGS/openssl.log"
  done
  chmod 644 "$tls"/*
  openssl x509 -in "$tls/server.pem" -text -noout | grep -F 'IP Address:127.0.0.1' >/dev/null || fail 'the certificate does not name the host'
  run_one_node -v "$tls:/tls:ro" -e TLS_CERT_PATH=/tls/server.pem -e TLS_KEY_PATH=/tls/server-key.pem -e TLS_CLIENT_CA_PATH=/tls/ca.pem
  https=$(url "$PROJECT-quickstart" | sed 's/^http:/https:/')
  wait_for 60 'the node to answer a client with a certificate' \
    curl -sS --fail --cacert "$tls/ca.pem" --cert "$tls/client.pem" --key "$tls/client-key.pem" "$https/health"
  curl -sS --fail -k "$(url "$PROJECT-quickstart" 9090 | sed 's/^http:/https:/')/health" >/dev/null
  if curl -sS -k "$https/health" >/dev/null 2>&1; then fail 'a client without a certificate was answered'; fi
  wait_for 60 'the healthcheck to pass with TLS' is_healthy "$PROJECT-quickstart"
  docker rm --force "$PROJECT-quickstart" >/dev/null
}

walk_one_node() {
  local admin taken snapshot
  say 'one node: Compose'
  if docker volume inspect agentstate-data >/dev/null 2>&1; then fail 'there is a volume agentstate-data already, which this would restore into'; fi
  sed "s#REPLACE_BASE64_KEY#$KEY#" docker-compose.yml >"$WORK/docker-compose.yml"
  single up -d --no-build >"$LOGS/up-single.log" 2>&1
  wait_for 60 'the node to be healthy' healthy agentstate
  wait_for 60 'the node to be ready' ready agentstate
  check_hardening agentstate
  TOKEN=$(single exec -T agentstate node /app/bin/agentstate token mint --ns agent://demo --ops PUT,GET,WATCH --ttl 12h)
  admin=$(cli -e CAP_KEY_ACTIVE="$KEY" "$CLI_IMAGE" token mint --ns admin://global --ops ADMIN)
  put agentstate task-1 '{"status":"running"}' >/dev/null

  say 'one node: snapshot, trim, restore'
  taken=$(curl -sS --fail -X POST -H "Authorization: Bearer $admin" "$(url "$(container agentstate)")/admin/snapshot")
  snapshot=$(sed -n 's/.*"snapshot_id":"\([^"]*\)".*/\1/p' <<<"$taken")
  curl -sS --fail -X POST -H "Authorization: Bearer $admin" \
    "$(url "$(container agentstate)" 9090)/admin/trim-wal?snapshot_id=$snapshot" >"$LOGS/trim.log"
  put agentstate task-1 '{"status":"lost"}' >/dev/null
  single stop >"$LOGS/stop-single.log" 2>&1
  stopped_cleanly agentstate
  single down >>"$LOGS/stop-single.log" 2>&1
  cli -v agentstate-data:/data "$CLI_IMAGE" restore --data-dir /data --snapshot-id "$snapshot" >"$LOGS/restore.log" 2>&1
  cli -v agentstate-data:/data "$CLI_IMAGE" admin dump --data-dir /data >"$LOGS/dump.log"
  head -n 10 "$LOGS/dump.log" | grep -F '"status":"running"' >/dev/null || fail 'the restored node does not hold what the snapshot does'
  single up -d --no-build >>"$LOGS/up-single.log" 2>&1
  wait_for 60 'the restored node to have what the snapshot has' has agentstate task-1 '{"status":"running"}'
  single down --volumes >>"$LOGS/stop-single.log" 2>&1
}

walk_cluster() {
  local node before status nodes=(node-1 node-2 node-3)
  say 'three nodes: up'
  compose up -d --no-build >"$LOGS/up.log" 2>&1
  for node in "${nodes[@]}"; do wait_for 90 "$node to be healthy" healthy "$node"; done
  for node in "${nodes[@]}"; do wait_for 60 "$node to be ready" ready "$node"; done
  check_hardening node-2
  TOKEN=$(cli --env-file "$WORK/env" "$CLI_IMAGE" token mint --ns agent://demo --ops PUT,GET,DELETE,WATCH --ttl 1h)

  say 'put on node-1, get on node-2 and node-3'
  wait_for 30 'a first write' put node-1 task-1 '{"n":1}'
  has node-2 task-1 '{"n":1}' || fail 'node-2 does not have what node-1 took'
  has node-3 task-1 '{"n":1}' || fail 'node-3 does not have what node-1 took'

  say 'node-1 killed: the others go on'
  docker kill "$(container node-1)" >/dev/null
  wait_for 30 'a write without node-1' put node-2 task-2 '{"n":2}'
  has node-3 task-2 '{"n":2}' || fail 'node-3 does not have what node-2 took'
  compose up -d --no-build >>"$LOGS/up.log" 2>&1
  wait_for 60 'node-1 to be ready again' ready node-1
  has node-1 task-2 '{"n":2}' || fail 'node-1 has not caught up'

  say 'node-3 cut off: the others go on, and it answers nothing that may be stale'
  docker network disconnect "${PROJECT}_cluster" "$(container node-3)"
  wait_for 30 'a write without node-3' put node-1 task-3 '{"n":3}'
  has node-2 task-3 '{"n":3}' || fail 'node-2 does not have what node-1 took'
  # No port leads to it now, so it is asked from within.
  status=$(docker exec "$(container node-3)" node -e "fetch('http://127.0.0.1:8080/v1/agent%3A%2F%2Fdemo/objects/task-1',
    { headers: { authorization: 'Bearer $TOKEN' } }).then(({ status }) => console.log(status))")
  case $status in 503 | 504) ;; *) fail "a node without a quorum answered a linearizable read with $status" ;; esac
  say "node-3 answered $status; it comes back"
  docker network connect --alias node-3 "${PROJECT}_cluster" "$(container node-3)"
  wait_for 60 'node-3 to be ready again' ready node-3
  wait_for 20 'node-3 to have what it missed' has node-3 task-3 '{"n":3}'

  say "a rolling restart, with what the chart's preStop sends"
  before=$(sed -n 's/.*"-c", "\(kill -[A-Z0-9]* 1\) && sleep.*/\1/p' deploy/helm/templates/statefulset.yaml)
  [ -n "$before" ] || fail 'the chart has no preStop that is known here'
  for node in "${nodes[@]}"; do
    docker exec "$(container "$node")" /bin/sh -c "$before"
    wait_for 20 "$node to say that it leaves" leaves "$node"
    docker stop --time 15 "$(container "$node")" >/dev/null
    stopped_cleanly "$node"
    docker start "$(container "$node")" >/dev/null
    wait_for 60 "$node to be ready again" ready "$node"
    wait_for 30 "a write at $node" put "$node" "task-$node" '{"n":4}'
  done
  for node in "${nodes[@]}"; do
    has node-2 "task-$node" '{"n":4}' || fail "a write at $node is lost"
  done

  say 'a stop is clean'
  compose stop >"$LOGS/stop.log" 2>&1
  for node in "${nodes[@]}"; do stopped_cleanly "$node"; done
}

say "logs in $LOGS"
install_packages
start_engine
base_images "$NODE_IMAGE" "$NATS_IMAGE"
build_images

# Ports are picked by the daemon, so that nothing that runs here is in the way.
npm run --silent keys -- --file "$WORK/env" >/dev/null
cat >>"$WORK/env" <<END
AGENTSTATE_SERVER_IMAGE=$SERVER_IMAGE
NODE_1_PORT=127.0.0.1:
NODE_2_PORT=127.0.0.1:
NODE_3_PORT=127.0.0.1:
END
cat >"$WORK/env.single" <<END
AGENTSTATE_SERVER_IMAGE=$SERVER_IMAGE
HTTP_PORT=127.0.0.1:
ADMIN_PORT=0
END
KEY=$(openssl rand -base64 32)
walk_docker_run
walk_one_node
walk_cluster
