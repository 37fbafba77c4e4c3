-- wrk script: sends the bytes of REQUEST_FILE (made by `load request`) over and over; prints one line "JSON {...}" for `load wrap`.
local file = assert(io.open(os.getenv("REQUEST_FILE"), "rb"))
local raw = file:read("*a")
file:close()

function request() return raw end

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    'JSON {"rps":%.1f,"ok":%d,"broken":%d,"not_ok":%d,"wrk_p50_us":%d,"wrk_p99_us":%d}\n',
    summary.requests / (summary.duration / 1e6), summary.requests - e.status,
    e.connect + e.read + e.write + e.timeout, e.status, latency:percentile(50), latency:percentile(99)))
end
