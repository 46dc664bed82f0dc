#!/usr/bin/env bash
# Deploys a bot from a pipeline that has curl and sed only, as such scripts for Maestro do.
#
#     SERVER=… LOGIN=… KEY=… pipeline.sh deploy|update|release BOT VERSION FILE TECHNOLOGY
#
# The token is cut out of one line of compact JSON; an answer is fine when it is 200.
set -u
verb=$1 bot=$2 version=$3 file=${4:-} technology=${5:-}

token=$(curl -s -X POST "$SERVER/api/v2/workspace/login" -H "Content-Type: application/json" \
  -d "{\"login\":\"$LOGIN\", \"key\":\"$KEY\"}" | sed -n 's/.*"accessToken":"\([^"]*\)".*/\1/p')
[ -n "$token" ] || { echo "no token"; exit 1; }

# Says the answer and ends, unless its status is 200.
call() {
  local answer
  answer=$(curl -s -w ' %{http_code}' -X POST -H "Authorization: Bearer $token" "$@")
  [ "${answer##* }" = 200 ] || { echo "$answer"; exit 1; }
}

announce() {
  call "$SERVER/api/v2/bot" -H "Content-Type: application/json" -d "{\"organization\":\"$LOGIN\", \"botId\":\"$bot\",
    \"version\":\"$version\", \"technology\":\"$technology\", \"repositoryLabel\":\"DEFAULT\"}"
}

# The boundary is curl's to add to this header.
upload() {
  call "$SERVER/api/v2/bot/upload/$bot/version/$version" -H "Content-Type: multipart/form-data" \
    -F "file=@$file;type=application/zip"
}

release() {
  call "$SERVER/api/v2/bot/release" -H "Content-Type: application/json" \
    -d "{\"botId\":\"$bot\", \"version\":\"$version\"}"
}

case $verb in
  deploy) announce && upload ;;
  update) upload ;;
  release) release ;;
esac
echo "$verb of $bot $version was fine"
