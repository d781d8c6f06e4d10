#!/usr/bin/env bash
# Runs a command beside a private PostgreSQL on a free loopback port: its data lies in a temporary folder, its address is
# in AUDIOMICRO_TEST_POSTGRES, and it is gone when the command ends. As root it runs as the user postgres, for the server
# refuses root. Durability is off: it serves tests, which kill our processes but never the server.
set -euo pipefail
if [ -n "${AUDIOMICRO_TEST_POSTGRES:-}" ]; then exec "$@"; fi
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1 || true)
if [ -z "$bin" ]; then
  echo "postgres.sh: no PostgreSQL server found (Debian: apt-get install postgresql); running without it" >&2
  exec "$@"
fi
dir=$(mktemp -d /tmp/audiomicro-pg.XXXXXX)
as=()
if [ "$(id -u)" = 0 ]; then
  chown postgres "$dir"
  as=(setpriv --reuid=postgres --regid=postgres --init-groups --)
fi
port=$(python3 - <<'P' 2>/dev/null || echo $((20000 + RANDOM % 20000))
import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])
P
)
( cd "$dir" && "${as[@]}" "$bin/initdb" -D "$dir/data" -U audiomicro --auth=trust -E UTF8 --locale=C.UTF-8 >"$dir/initdb.log" 2>&1 )
stop() { ( cd "$dir" && "${as[@]}" "$bin/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null 2>&1 ) || true; rm -rf "$dir"; }
trap stop EXIT
( cd "$dir" && "${as[@]}" "$bin/pg_ctl" -D "$dir/data" -w -l "$dir/log" -o "-p $port -k $dir -c listen_addresses=127.0.0.1 -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=300 -c shared_buffers=256MB" start >/dev/null )
export AUDIOMICRO_TEST_POSTGRES="postgres://audiomicro@127.0.0.1:$port/postgres?sslmode=disable"
"$@"
