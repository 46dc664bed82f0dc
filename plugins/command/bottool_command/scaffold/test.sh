# Runs the bot without a server and looks at what it says.
set -eu
cd "$(dirname "$0")"

said=$(sh bot.sh)
case $said in
*"Hello, world!"*"item 5 of 5 done"*) echo "the bot works" ;;
*) echo "the bot said: $said" >&2 && exit 1 ;;
esac
