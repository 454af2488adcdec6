-- Sends one signed body again and again, each time under a new random X-GitHub-Delivery.
-- Arguments: a file with the body, and its signature. Writes what came of it as one line of JSON.

local threads = 0
function setup(thread)
  threads = threads + 1
  thread:set("number", threads)
end

local before, after, salt
local count = 0

function init(args)
  local file = assert(io.open(args[1], "rb"))
  local body = file:read("*a")
  file:close()
  local seed = assert(io.open("/dev/urandom", "rb"))
  salt = seed:read(4):gsub(".", function(c) return string.format("%02x", c:byte()) end)
  math.randomseed(tonumber(salt, 16) + number)
  seed:close()
  local whole = wrk.format("POST", nil, {
    ["User-Agent"] = "GitHub-Hookshot/044aadd",
    ["Content-Type"] = "application/json",
    ["X-GitHub-Hook-ID"] = "292430182",
    ["X-GitHub-Event"] = "push",
    ["X-GitHub-Delivery"] = "@delivery@",
    ["X-Hub-Signature-256"] = args[2],
  }, body)
  local from, to = whole:find("@delivery@", 1, true)
  before, after = whole:sub(1, from - 1), whole:sub(to + 1)
end

-- Random first, as GitHub's are: keys that arrive in order would be kinder to an index than life is.
function request()
  count = count + 1
  local id = string.format("%08x-%04x-%s-%d-%d", math.random(0, 4294967295), count % 65536, salt, number, count)
  return before .. id .. after
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    '@{"requests":%d,"microseconds":%d,"refused":%d,"broken":%d,"p50":%d,"p99":%d}',
    summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)
  ))
end
