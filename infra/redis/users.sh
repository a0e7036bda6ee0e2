#!/bin/sh
# Prints users.acl as `redis-server --aclfile` takes it: without comments, and with the hash of each user's password, which
# is read from the file redis-<user> in a directory (default /run/secrets). It fails where one is missing or empty: a server
# that starts without it looks healthy, and turns its user away.
#
#   sh users.sh [directory of the passwords] > users-with-passwords.acl
set -eu
passwords=${1:-/run/secrets}
newline='
'

grep '^user ' "$(dirname "$0")/users.acl" | while read -r line; do
  name=$(echo "$line" | cut -d ' ' -f 2)
  file=$passwords/redis-$name
  case $line in
    *' off' | *' nopass '*) ;;
    *)
      # As for the services, one newline at the end is not of the password. The dot keeps `$(…)` from taking all away.
      password=$(cat "$file" && echo .)
      password=${password%.}
      case $password in
        *"$newline")
          password=${password%"$newline"}
          password=${password%"$(printf '\r')"}
          ;;
      esac
      if [ -z "$password" ]; then
        echo "users.sh: $file has no password for $name" >&2
        exit 1
      fi
      hash=$(printf %s "$password" | sha256sum | cut -d ' ' -f 1)
      line="user $name #$hash ${line#user "$name" }"
      ;;
  esac
  echo "$line"
done
