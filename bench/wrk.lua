-- Arguments: method, path of the objects, number of keys, body. One thread goes through the keys in turn.
local method, objects, keys, body
local key = 0

function init(args)
  method, objects, keys = args[1], args[2], tonumber(args[3])
  if method == "PUT" then
    body = args[4]
    wrk.headers["Content-Type"] = "application/json"
  end
end

function request()
  key = (key + 1) % keys
  return wrk.format(method, objects .. "/object-" .. key, nil, body)
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"micros":%d,"errors":%d,"p50":%d,"p95":%d,"p99":%d}\n',
    summary.requests, summary.duration,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50), latency:percentile(95), latency:percentile(99)))
end
