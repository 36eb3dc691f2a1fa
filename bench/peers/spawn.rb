# SPDX-License-Identifier: MIT
# Peers' cost of spawning CHILD, us, and of 1 GiB through cat, s: spawn.rb CHILD [START OF A ROW'S NAME].
require "open3"

CHILD = ARGV[0]
ONLY = ARGV[1] || ""
PEER = "Ruby #{RUBY_VERSION} Process.spawn"
def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)
def median(list) = list.sort[(list.size - 1) / 2]

def spawn_rows(suffix)
  rows = ["spawn.return#{suffix}", "spawn.wait#{suffix}"]
  return if rows.none? { |row| row.start_with?(ONLY) }
  times = [[], []]
  start = now
  while times[0].size < 5 || (times[0].size < 300 && now - start < 0.7)
    began = now
    pid = Process.spawn({}, [CHILD, CHILD], unsetenv_others: true)
    times[0] << now - began
    Process.wait(pid)
    times[1] << now - began
  end
  rows.zip(times) { |row, list| puts "#{row}\t#{PEER}\t#{(median(list) * 1e6).round(4)}" if row.start_with?(ONLY) }
end

def cat
  data = "x" * (256 << 20) # it keeps all of the output: hence a quarter of it
  began = now
  output, = Open3.capture2("/bin/cat", stdin_data: data, binmode: true)
  raise "cat" unless output.bytesize == data.bytesize
  puts "communicate.cat\tRuby #{RUBY_VERSION} Open3.capture2\t#{((now - began) * 4).round(4)}"
end

spawn_rows("")
files = []
[1000, 15_000].each do |count|
  files << File.open("/dev/null") until files.size >= count
  spawn_rows(".fds#{count}")
rescue Errno::EMFILE
  break
end
files.each(&:close)
memory = "x" * (1 << 30)
spawn_rows(".rss1g")
memory.clear
cat if "communicate.cat".start_with?(ONLY)
