# A container engine for a test, from nothing: for `source`. It keeps what it says in $LOGS and what it needs in $WORK.
#
# Docker and Compose are installed where they are missing (Debian, as root). A daemon is used if one answers at
# DOCKER_HOST; otherwise one of our own is started, with its own data, socket and pid file, and ended by its pid, with
# what it changed of the machine's network put back. Where the images that the files name cannot be pulled, they are
# made of this machine's Debian and Node.
#
# What cannot be had here is no fault of what is tested: `leave_out` says why and ends with exit code 77.
LEFT_OUT=77
CALL_SECONDS_MAX=400
daemon=''
made=()

say() { echo "== $(date +%T) $*"; }
fail() {
  echo "FAIL $*" >&2
  exit 1
}
leave_out() {
  echo "left out: $*" >&2
  exit "$LEFT_OUT"
}

# Waits until a command succeeds; its output is dropped.
wait_for() {
  local seconds=$1 what=$2 deadline
  shift 2
  deadline=$((SECONDS + seconds))
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || fail "waited $seconds s in vain for $what"
    sleep 0.2
  done
}

# Debian's client builds with BuildKit by itself; others need a plugin for it. No call may hang the test, nor its end;
# and a signal for the test, which its group gets, reaches what it waits for.
docker() {
  local program=/usr/bin/docker
  [ -x "$program" ] || program=$(type -P docker) || return 127
  timeout --foreground "$CALL_SECONDS_MAX" "$program" "$@"
}
# The program of its own that Debian has, or the plugin of newer clients.
docker_compose() {
  if type -P docker-compose >/dev/null; then timeout --foreground "$CALL_SECONDS_MAX" docker-compose "$@"; else docker compose "$@"; fi
}

has_program() { command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ]; }

install_packages() {
  local missing=() pair pairs=(openssl:openssl curl:curl)
  docker info >/dev/null 2>&1 || pairs+=(dockerd:docker.io iptables:iptables)
  for pair in "${pairs[@]}"; do
    has_program "${pair%%:*}" || missing+=("${pair##*:}")
  done
  has_program docker-compose || docker compose version >/dev/null 2>&1 || missing+=(docker-compose)
  [ "${#missing[@]}" -eq 0 ] && return
  [ "$(id -u)" -eq 0 ] || leave_out "${missing[*]} not installed, and only root can install packages"
  say "installing ${missing[*]}"
  # A package must not start a server of its own.
  export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
  { apt-get update -q && apt-get install -q -y --no-install-recommends "${missing[@]}"; } >"$LOGS/apt.log" 2>&1 </dev/null ||
    leave_out "${missing[*]} cannot be installed: $(grep -E '^[EW]:' "$LOGS/apt.log" | tail -n 1 || true)"
}

start_engine() {
  if docker info >/dev/null 2>&1; then return; fi
  [ "$(id -u)" -eq 0 ] || leave_out 'no docker daemon answers, and only root can start one'
  say 'starting a docker daemon of our own'
  export DOCKER_HOST="unix://$WORK/docker.sock" PATH="$PATH:/usr/sbin:/sbin"
  # Kernels without nftables have the older way.
  if ! iptables -t nat -S >/dev/null 2>&1 && iptables-legacy -t nat -S >/dev/null 2>&1; then
    mkdir "$WORK/bin"
    ln -s "$(command -v xtables-legacy-multi)" "$WORK/bin/iptables"
    ln -s "$(command -v xtables-legacy-multi)" "$WORK/bin/iptables-save"
    ln -s "$(command -v xtables-legacy-multi)" "$WORK/bin/iptables-restore"
    export PATH="$WORK/bin:$PATH"
  fi
  # In memory where there is plenty: some hundred thousand small files come and go.
  mkdir "$WORK/data"
  if [ "$(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo)" -gt 12000000 ]; then
    mount -t tmpfs -o size=10g "$PROJECT" "$WORK/data" || true
  fi
  iptables-save >"$WORK/iptables" 2>/dev/null || true
  cp /proc/sys/net/ipv4/ip_forward "$WORK/ip_forward"
  # In a session of its own, so that a signal for the test ends the test first, which then ends the daemon. Without a
  # driver that is named, it takes overlay2 where the kernel and the disk have it, else vfs, which copies each layer.
  setsid dockerd ${COMPOSE_TEST_STORAGE_DRIVER:+--storage-driver="$COMPOSE_TEST_STORAGE_DRIVER"} --bridge=none \
    --data-root="$WORK/data" --exec-root="$WORK/exec" --host="$DOCKER_HOST" --pidfile="$WORK/docker.pid" \
    >"$LOGS/dockerd.log" 2>&1 </dev/null &
  daemon=$!
  local deadline=$((SECONDS + 60))
  until docker info >/dev/null 2>&1; do
    if ! kill -0 "$daemon" 2>/dev/null || [ "$SECONDS" -ge "$deadline" ]; then
      leave_out "dockerd does not start: $(grep -E 'level=(error|fatal)|^failed' "$LOGS/dockerd.log" | tail -n 1 || true)"
    fi
    sleep 0.2
  done
  say "dockerd $(docker info -f '{{.ServerVersion}}, {{.Driver}}') on $(stat -f -c %T "$WORK/data")"
}

# Ends the daemon if it is ours, and what it left in the machine's network.
stop_engine() {
  [ -n "$daemon" ] || return 0
  kill "$daemon" 2>/dev/null
  local deadline=$((SECONDS + 30))
  while kill -0 "$daemon" 2>/dev/null && [ "$SECONDS" -lt "$deadline" ]; do sleep 0.2; done
  kill -KILL "$daemon" 2>/dev/null
  wait "$daemon" 2>/dev/null
  if mountpoint -q "$WORK/data"; then umount "$WORK/data" || umount --lazy "$WORK/data"; fi
  iptables-restore 2>/dev/null <<'END'
*nat
:PREROUTING ACCEPT
:INPUT ACCEPT
:OUTPUT ACCEPT
:POSTROUTING ACCEPT
COMMIT
*filter
:INPUT ACCEPT
:FORWARD ACCEPT
:OUTPUT ACCEPT
COMMIT
END
  iptables-restore <"$WORK/iptables" 2>/dev/null
  cat "$WORK/ip_forward" >/proc/sys/net/ipv4/ip_forward
}

# The images that our files build on: pulled, or made here; and a container of one, or there is no engine.
base_images() {
  local node=$1 nats=$2
  if ! { CALL_SECONDS_MAX=60 docker pull -q "$node" && CALL_SECONDS_MAX=60 docker pull -q "$nats"; } >"$LOGS/pull.log" 2>&1; then
    make_base_images "$node" "$nats"
  fi
  docker network create "$PROJECT" >/dev/null
  docker run --rm --network "$PROJECT" "$node" node -e 0 >"$LOGS/first-container.log" 2>&1 ||
    leave_out "no container starts here: $(tail -n 1 "$LOGS/first-container.log")"
}

# Packages of Debian are unpacked and none is configured: nothing of that is needed by what runs in the images, and it
# takes seconds where a bootstrapped system takes a minute.
make_base_images() {
  local node=$1 nats=$2 root=$WORK/rootfs packages modules
  say "no image registry: making $node and $nats of this machine"
  # Elsewhere the build compiles, with packages that such a base cannot install.
  [ "$(uname -m)" = x86_64 ] || leave_out "no image registry answers, and a base can be made here for x86-64 alone"
  apt-cache show nats-server >/dev/null 2>&1 || apt-get update -q >"$LOGS/packages.log" 2>&1 || true
  packages=$(apt-cache depends --recurse --important --no-recommends base-files base-passwd dash coreutils findutils \
    libstdc++6 nats-server | grep '^[a-z]' | sort -u) || leave_out 'no image registry answers, and Debian has no nats-server here'
  mkdir -p "$WORK/packages" "$root"
  # shellcheck disable=SC2086 # one word for each package
  (cd "$WORK/packages" && apt-get download -q $packages) >>"$LOGS/packages.log" 2>&1 ||
    leave_out "no image registry answers, nor a mirror of Debian: $(grep '^E:' "$LOGS/packages.log" | tail -n 1 || true)"
  local package
  for package in "$WORK"/packages/*.deb; do dpkg-deb -x "$package" "$root"; done
  rm -rf "$WORK/packages" "$root"/usr/share/{doc,info,locale,man}
  cp "$root/usr/share/base-passwd/passwd.master" "$root/etc/passwd"
  cp "$root/usr/share/base-passwd/group.master" "$root/etc/group"
  made+=("$nats" "$node")
  tar -C "$root" -c . | docker import -c 'ENTRYPOINT ["nats-server"]' - "$nats" >/dev/null
  rm -f "$root/usr/sbin/nats-server" "$root/usr/bin/nats-server"
  modules=$(dirname "$(dirname "$(dirname "$(realpath "$(command -v npm)")")")")
  install -D "$(node -p process.execPath)" "$root/usr/local/bin/node"
  mkdir -p "$root/usr/local/lib/node_modules"
  cp -a "$modules/npm" "$root/usr/local/lib/node_modules/"
  ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
  tar -C "$root" -c . |
    docker import -c 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' - "$node" >/dev/null
  rm -rf "$root"
}
