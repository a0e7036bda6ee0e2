#!/bin/sh
# Prints users.acl as `redis-server --aclfile` takes it: without comments, and with the hash of each user's password, which
# is read from the file redis-<user> in a directory (default /run/secrets). A user whose file is missing cannot sign in.
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
      if [ -r "$file" ]; then
        # As for the services, one newline at the end is not of the password. The dot keeps `$(…)` from taking all away.
        password=$(cat "$file" && echo .)
        password=${password%.}
        case $password in
          *"$newline")
            password=${password%"$newline"}
            password=${password%"$(printf '\r')"}
            ;;
        esac
        hash=$(printf %s "$password" | sha256sum | cut -d ' ' -f 1)
        line="user $name #$hash ${line#user "$name" }"
      else
        echo "users.sh: there is no $file: $name cannot sign in" >&2
      fi
      ;;
  esac
  echo "$line"
done
