#!/usr/bin/env bash
# What the suites need beside Node: installed by apt where this is Debian and we are root, else named.
# Usage: prerequisites.sh postgres|redis|python|venv|nginx|wrk|openssl|images|cluster|debootstrap ...
set -euo pipefail

has_postgres() { command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; }
has_python() { command -v python3 >/dev/null; }
# Debian keeps what a venv is made with in a package of its own.
has_venv() { python3 -c 'import ensurepip, venv' 2>/dev/null; }
has_redis() { command -v redis-server >/dev/null && command -v redis-cli >/dev/null; }
has_wrk() { command -v wrk >/dev/null; }
has_faketime() { compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1' >/dev/null; }
has_openssl() { command -v openssl >/dev/null; }
has_images() { command -v buildah >/dev/null && [ -e /etc/containers/policy.json ]; }
has_all() { for program in "$@"; do command -v "$program" >/dev/null || return 1; done; }
has_cluster() { has_all containerd ctr runc iptables ip nsenter && [ -x /usr/lib/cni/bridge ] && has_images; }
has_debootstrap() { command -v debootstrap >/dev/null; }
has_nginx() { command -v nginx >/dev/null || [ -x /usr/sbin/nginx ]; }

packages=()
for need in "$@"; do
  case "$need" in
    postgres) has_postgres || packages+=(postgresql-15) ;;
    redis) has_redis || packages+=(redis-server) ;;
    python) has_python || packages+=(python3) ;;
    venv) has_venv || packages+=(python3 python3-venv) ;;
    faketime) has_faketime || packages+=(faketime) ;;
    nginx) has_nginx || packages+=(nginx-light) ;;
    openssl) has_openssl || packages+=(openssl) ;;
    images) has_images || packages+=(buildah golang-github-containers-common) ;;
    cluster) has_cluster || packages+=(containerd runc containernetworking-plugins iptables iproute2 buildah golang-github-containers-common) ;;
    debootstrap) has_debootstrap || packages+=(debootstrap) ;;
    wrk) has_wrk || packages+=(wrk) ;;
    *) echo "prerequisites: $need is not known" >&2; exit 64 ;;
  esac
done
[ ${#packages[@]} -eq 0 ] && exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "Missing: ${packages[*]}. Install them (Debian: sudo apt-get install ${packages[*]}) and try again." >&2
  exit 69
fi

echo "installing ${packages[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
# The suites start servers of their own: no cluster and no service is wanted from the packages.
mkdir -p /etc/postgresql-common
[ -e /etc/postgresql-common/createcluster.conf ] || echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
# Debian starts a service as soon as it is installed, unless this file says no.
if [ ! -e /usr/sbin/policy-rc.d ]; then
  printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
  chmod +x /usr/sbin/policy-rc.d
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
fi
apt-get update -qq >&2
if [[ " ${packages[*]} " == *' postgresql-15 '* ]] && ! apt-cache show postgresql-15 >/dev/null 2>&1; then
  packages=("${packages[@]/postgresql-15/postgresql}")
fi
apt-get install -y -qq --no-install-recommends "${packages[@]}" >&2
