#!/bin/bash
# Whether `image2song serve` answers: exit 0 if so. Plain bash, since the images have no HTTP client.
#   IMAGE2SONG_HEALTH   address to ask [default: 127.0.0.1:8080]
set -euo pipefail
address=${IMAGE2SONG_HEALTH:-127.0.0.1:8080}
path=${1:-/healthz}
exec 3<>"/dev/tcp/${address%:*}/${address##*:}"
printf 'GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$path" "$address" >&3
read -r -t 4 status <&3
[[ $status == 'HTTP/1.1 200 '* ]]
