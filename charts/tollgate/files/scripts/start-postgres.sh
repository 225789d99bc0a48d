# Makes the database at the first start and runs it. Needs only initdb, postgres and a shell, whatever image they come in.
set -eu

# Debian keeps them out of the path.
for bin in /usr/lib/postgresql/*/bin; do
  if [ -d "$bin" ]; then PATH=$bin:$PATH; fi
done

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  # Made beside its place and then moved: a first start that was cut off leaves nothing behind that looks whole.
  rm -rf "$PGDATA.new"
  initdb --pgdata "$PGDATA.new" --username tollgate --pwfile "$PASSWORD_FILE" --auth scram-sha-256 \
    --encoding UTF8 --locale C --data-checksums
  echo 'host all all all scram-sha-256' >>"$PGDATA.new/pg_hba.conf"
  echo 'CREATE DATABASE tollgate' | postgres --single -D "$PGDATA.new" postgres
  mv "$PGDATA.new" "$PGDATA"
fi

# SIGTERM would wait for every client to leave; SIGINT closes their connections and shuts down in order.
postgres -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories=/tmp &
trap 'kill -INT $!' TERM INT
# The first wait ends with the signal, the second with the server.
wait $! || wait $!
