#!/usr/bin/env bash
# Provisions API clients through the Akamai Identity Cloud Configuration API.
#
#   HOST=v1.api.us.janraincapture.com APP_ID=… CLIENT_ID=… CLIENT_SECRET=… ./provision.sh
#
# CLIENT_ID must have the owner feature. Needs nothing but bash, curl and sed.
set -euo pipefail

: "${HOST:?}" "${APP_ID:?}" "${CLIENT_ID:?}" "${CLIENT_SECRET:?}"
BASE="https://$HOST/config/$APP_ID"

# api METHOD PATH [CURL OPTION...]: the body on standard output, the status in $status
api() {
  local method=$1 path=$2
  shift 2
  response=$(curl -sS -u "$CLIENT_ID:$CLIENT_SECRET" -X "$method" "$@" -w '\n%{http_code}' "$BASE$path")
  status=${response##*$'\n'}
  body=${response%$'\n'*}
}

# field NAME: the string value of a key of $body
field() { sed -n 's/.*"'"$1"'" *: *"\([^"]*\)".*/\1/p' <<<"$body" | head -n 1; }

expect() {
  if [ "$status" != "$1" ]; then
    echo "expected $1, got $status: $body" >&2
    exit 1
  fi
}

contains() {
  case "$body" in
  *"$1"*) ;;
  *)
    echo "expected $1 in: $body" >&2
    exit 1
    ;;
  esac
}

echo "== create a client for each job"
api POST /clients -H 'Content-Type: application/json' -d '{"name": "Nightly export", "features": ["direct_read_access"], "ipWhitelist": ["0.0.0.0/0", "::/0"]}'
expect 201
EXPORT_ID=$(field _id) EXPORT_SECRET=$(field _secret)
echo "export $EXPORT_ID $EXPORT_SECRET"

# curl sends -d as a form unless told otherwise; half of the scripts out there do.
api POST /clients -d '{"name": "Web site", "features": ["login_client"]}'
expect 201
LOGIN_ID=$(field _id)
contains '"login_client"'
echo "login $LOGIN_ID"

api POST /clients -H 'Content-Type: application/json' -d '{"name": "Token issuer", "features": ["access_issuer", "direct_access"]}'
expect 201
ISSUER_ID=$(field _id) ISSUER_SECRET=$(field _secret)
echo "issuer $ISSUER_ID $ISSUER_SECRET"

echo "== a second run finds the name taken"
api POST /clients -H 'Content-Type: application/json' -d '{"name": "Nightly export"}'
expect 409
contains 'API client Nightly export already exists.'

echo "== mistakes are named"
api POST /clients
expect 400
contains 'Missing data for required field.'
api POST /clients -H 'Content-Type: application/json' -d '{"name": "X", "ipWhitelist": ["10.0.0.1"]}'
expect 400
contains 'Not a valid CIDR address.'
api POST /clients -H 'Content-Type: application/json' -d '{"name": "X", "features": ["login_client", "owner"]}'
expect 400
contains 'Clients with the login_client feature cannot have any other features.'
api POST /clients -H 'Content-Type: application/json' -d '{"name": "X", "features": ["metadata"]}'
expect 400
contains 'The metadata feature can only be applied to a client by Akamai.'

echo "== list, whole and by feature"
api GET /clients
expect 200
for id in "$CLIENT_ID" "$EXPORT_ID" "$LOGIN_ID" "$ISSUER_ID"; do contains "$id"; done
api GET '/clients?has_feature=access_issuer&has_feature=direct_access'
expect 200
contains "$ISSUER_ID"
case "$body" in *"$EXPORT_ID"*) echo "the filter lets a client through: $body" >&2; exit 1 ;; esac

echo "== read, change one thing, put the whole object back"
api GET "/clients/$EXPORT_ID"
expect 200
changed=$(sed 's/"Nightly export"/"Nightly export (EU)"/; s#"0.0.0.0/0"#"127.0.0.0/8"#' <<<"$body")
api PUT "/clients/$EXPORT_ID" -H 'Content-Type: application/json' -d "$changed"
expect 200
contains 'Nightly export (EU)'
contains '127.0.0.0/8'
contains 'direct_read_access'

echo "== settings of the client"
api PUT "/clients/$LOGIN_ID/settings" -H 'Content-Type: application/json' -d '{"default_flow_name": "standard", "login_attempts": 5, "custom": {"team": "web"}}'
expect 200
api GET "/clients/$LOGIN_ID/settings"
expect 200
contains 'standard'
contains '"team"'
contains '"_global"'

echo "== rotate a secret, the old one works for a day"
api PUT "/clients/$ISSUER_ID/secret" -H 'Content-Type: application/json' -d '{"hoursToLive": 24}'
expect 200
NEW_SECRET=$(field _secret)
[ -n "$NEW_SECRET" ] && [ "$NEW_SECRET" != "$ISSUER_SECRET" ]
echo "rotated $ISSUER_ID $NEW_SECRET"

echo "== delete"
api POST /clients -H 'Content-Type: application/json' -d '{"name": "Short lived"}'
expect 201
GONE_ID=$(field _id)
api DELETE "/clients/$GONE_ID"
expect 204
[ -z "$body" ]
api GET "/clients/$GONE_ID"
expect 404
contains 'Client ID not found.'
api DELETE "/clients/$CLIENT_ID"
expect 403
contains 'Clients with the owner feature cannot be deleted.'
echo "deleted $GONE_ID"

echo "done"
