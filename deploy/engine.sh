# Sourced by the scripts here: sees to a Docker engine and to a base image.

export DOCKER_BUILDKIT=0 # the builder that every engine has

say() { echo "$(basename "$0"): $*"; }

die() {
  echo "$(basename "$0"): $*" >&2
  exit 1
}

compose() {
  if docker compose version >/dev/null 2>&1; then
    docker compose --project-name rookery --file "$here/compose.yaml" "$@"
  else
    docker-compose --project-name rookery --file "$here/compose.yaml" "$@"
  fi
}

# Installs Debian's packages where something is missing, and starts an engine
# where none answers. Sets engine_pid if it started one.
ensure_engine() {
  local missing=()
  command -v docker >/dev/null && command -v dockerd >/dev/null ||
    missing+=(docker.io)
  docker compose version >/dev/null 2>&1 || command -v docker-compose >/dev/null ||
    missing+=(docker-compose)
  if [ ${#missing[@]} -gt 0 ]; then
    if docker info >/dev/null 2>&1 && [ "${missing[*]}" = docker.io ]; then
      missing=() # an engine elsewhere
    else
      [ "$(id -u)" = 0 ] || die "needs ${missing[*]}; as root I would install them"
      say "installing ${missing[*]}"
      apt-get -q update >/dev/null
      # From Debian 13 on the client is a package of its own.
      command -v docker >/dev/null || ! apt-cache show docker-cli >/dev/null 2>&1 ||
        missing+=(docker-cli)
      DEBIAN_FRONTEND=noninteractive apt-get -q install --yes \
        --no-install-recommends iptables ca-certificates "${missing[@]}" \
        >/dev/null 2>&1 || die "apt-get install ${missing[*]} failed"
    fi
  fi
  ! docker info >/dev/null 2>&1 || return 0
  [ "$(id -u)" = 0 ] || die "no Docker engine answers; as root I would start one"
  engine_log=$(mktemp --suffix=.dockerd.log)
  dockerd >"$engine_log" 2>&1 &
  engine_pid=$!
  say "started a Docker engine, log in $engine_log"
  for _ in $(seq 120); do
    ! docker info >/dev/null 2>&1 || return 0
    kill -0 "$engine_pid" 2>/dev/null || break
    sleep 0.5
  done
  tail -n 20 "$engine_log" >&2
  die "the Docker engine did not start"
}

stop_engine() {
  [ -n "${engine_pid:-}" ] || return 0
  say "stopping the Docker engine"
  kill "$engine_pid" && wait "$engine_pid" || true
}

# Debian 13 as a base image: from a registry or, where none answers, made of
# Debian's packages.
ensure_base() {
  base=debian:trixie-slim
  ! docker image inspect "$base" >/dev/null 2>&1 || return 0
  if timeout 60 docker pull --quiet "$base" >/dev/null 2>&1; then
    say "pulled $base"
    return 0
  fi
  base=rookery-base:trixie
  ! docker image inspect "$base" >/dev/null 2>&1 || return 0
  say "no registry answers, so $base is made with debootstrap"
  command -v debootstrap >/dev/null || {
    apt-get -q update >/dev/null
    DEBIAN_FRONTEND=noninteractive apt-get -q install --yes \
      --no-install-recommends debootstrap >/dev/null 2>&1 ||
      die "apt-get install debootstrap failed"
  }
  local root
  root=$(mktemp --directory)
  debootstrap --variant=minbase trixie "$root" >"$root.log" 2>&1 ||
    { tail -n 20 "$root.log" >&2; die "debootstrap failed"; }
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root.log"
  tar --directory "$root" --create . | docker import - "$base" >/dev/null
  rm -rf "$root"
}

build_images() {
  say "building rookery-rabbitmq"
  docker build --quiet --build-arg "BASE=$base" --tag rookery-rabbitmq \
    "$here/rabbitmq" >/dev/null
  say "building rookery-node"
  docker build --quiet --build-arg "BASE=$base" --tag rookery-node \
    --file "$here/Dockerfile" "$here/.." >/dev/null
}
