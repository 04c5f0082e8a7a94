# Functions that the scripts in this folder share; to be sourced.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# What the scripts make besides bin/: git ignores it by a file of its own.
cache=$root/.cache

say() { printf '%s\n' "$*" >&2; }

die() {
  say "error: $*"
  exit 1
}

make_cache() {
  mkdir -p "$cache"
  [ -e "$cache/.gitignore" ] || echo '*' >"$cache/.gitignore"
}

# engine_answers tells whether a Docker engine answers, through the docker
# command or, where only the engine is installed, its socket.
engine_answers() {
  if command -v docker >/dev/null; then
    timeout 15 docker version --format '{{.Server.Version}}' >/dev/null 2>&1
  else
    local socket=${DOCKER_HOST:-unix:///var/run/docker.sock}
    [ -S "${socket#unix://}" ] && command -v curl >/dev/null &&
      curl -fsS --max-time 15 --unix-socket "${socket#unix://}" http://docker/_ping >/dev/null 2>&1
  fi
}
