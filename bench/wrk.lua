-- SPDX-License-Identifier: MIT
-- What wrk found, in one line that a program reads.

function done(summary, latency)
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format("measured requests=%d us=%d refused=%d broken=%d p50=%d p99=%d\n", summary.requests,
    summary.duration, errors.status, broken, latency:percentile(50), latency:percentile(99)))
end
