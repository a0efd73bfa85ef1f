#!/usr/bin/env bash
# From two phone numbers to the first message, with nothing but frames on a command line. For a test system, where
# everybody's code is 000000:
#
#   npm start                                                            # in another terminal
#   examples/terminal/first-message.sh ws://127.0.0.1:8081/v2 ws://127.0.0.1:8082/v2
set -euo pipefail
first=${1:-ws://127.0.0.1:8081/v2}
second=${2:-$first}
frames="node $(dirname "$0")/frames.mjs"
ada=1$(date +%s)
grace=2$(date +%s)

# Frames that sign a number up and in.
enter() {
  cat <<END
{"id":"1","type":"VERIFICATION_REQUEST_CODE_REQUEST","payload":{"country_code":"888","phone_number":"$1"}}
{"id":"2","type":"VERIFICATION_SUBMIT_CODE_REQUEST","payload":{"verification_code":"000000"}}
{"id":"3","type":"AUTHORIZATION_SIGN_IN_REQUEST","payload":{"country_code":"888","phone_number":"$1","verification_code":"000000"}}
END
}

answers=$(mktemp)
trap 'rm -f "$answers"' EXIT

echo "Ada signs up, and creates a direct message with Grace, who is not there yet:"
{
  enter "$ada"
  echo "{\"id\":\"4\",\"type\":\"GROUP_CREATE_REQUEST\",\"payload\":{\"group_name\":\"\",\"member_sids\":[\"888.$ada\",\"888.$grace\"]}}"
} | $frames "$first" --until GROUP_DELIVER_REQUEST | tee "$answers"
group_id=$(sed -n 's/.*"GROUP_CREATE_SUCCESS".*"group_id":\([0-9]*\).*/\1/p' "$answers")

echo "Ada writes:"
{
  enter "$ada"
  echo "{\"id\":\"5\",\"type\":\"MESSAGING_SEND_REQUEST\",\"payload\":{\"group_id\":$group_id,\"content\":\"hello from a terminal\"}}"
} | $frames "$first" --for 0

echo "Grace signs up, and finds the group and the message:"
enter "$grace" | $frames "$second" --until MESSAGING_DELIVER_REQUEST --for 10000
