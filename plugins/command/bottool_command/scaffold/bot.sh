# A bot in plain sh. A task starts it as: sh bot.sh SERVER TASK TOKEN [WORKSPACE]; without arguments it runs offline.
set -eu

server=${1:-} task=${2:-} token=${3:-} workspace=${4:-}
name=world
connected=no
if [ -n "$token" ] && command -v curl >/dev/null 2>&1; then
    connected=yes
fi

# The headers go through a pipe, so that the token is in no argument of curl.
call() {
    printf 'token: %s\norganization: %s\n' "$token" "$workspace" |
        curl --fail --silent --show-error --max-time 30 -H @- -H 'Content-Type: application/json' "$@"
}

if [ "$connected" = yes ]; then
    given=$(call "${server%/}/api/v2/task/$task" | sed -n 's/.*"parameters" *: *{[^}]*"name" *: *"\([^"]*\)".*/\1/p')
    name=${given:-$name}
fi

echo "Hello, $name!"
total=5
item=1
while [ "$item" -le "$total" ]; do
    echo "item $item of $total done"
    item=$((item + 1))
done

if [ "$connected" = yes ]; then
    call --output /dev/null --data "{\"state\": \"FINISHED\", \"finishStatus\": \"SUCCESS\",
        \"finishMessage\": \"all items done\",
        \"totalItems\": $total, \"processedItems\": $total, \"failedItems\": 0}" "${server%/}/api/v2/task/$task"
    echo "task $task is finished"
fi
