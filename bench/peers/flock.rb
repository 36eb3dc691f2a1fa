# SPDX-License-Identifier: MIT
# Peers' cost of an uncontended flock, ns: a line "row TAB peer TAB ns" each.
def now = Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)

def pairs(count)
  File.open("peer.lock", File::RDWR | File::CREAT) do |file|
    began = now
    count.times do
      file.flock(File::LOCK_EX)
      file.flock(File::LOCK_UN)
    end
    (now - began) / count.to_f
  end
end

def cycles(count)
  began = now
  count.times do
    file = File.open("peer.lock", File::RDWR | File::CREAT)
    file.flock(File::LOCK_EX)
    file.flock(File::LOCK_UN)
    file.close
  end
  (now - began) / count.to_f
end

pair = (1..7).map { pairs(20_000) }.min
cycle = (1..7).map { cycles(5_000) }.min
printf("lock.pair\tRuby File#flock\t%.0f\nlock.cycle\tRuby File.open + flock\t%.0f\n", pair, cycle)
