#!/bin/sh
# As the image `redis` does it: options alone are those of redis-server, which answers other containers without a
# password too, unless an option says otherwise.
set -e
case "$1" in -* | *.conf) set -- redis-server "$@" ;; esac
if [ "$1" = redis-server ]; then
  shift
  case "$1" in *.conf) config=$1 && shift && set -- "$config" --protected-mode no "$@" ;; *) set -- --protected-mode no "$@" ;; esac
  set -- redis-server "$@"
fi
exec "$@"
