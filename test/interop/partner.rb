# SPDX-License-Identifier: MIT
# ruby partner.rb PATH: Ruby's File#flock as the other party of test_interop.c. See there for what is asked on stdin.
$stdout.sync = true
puts "ready: Ruby #{RUBY_VERSION}"
file = nil
$stdin.each_line do |line|
  verb, mode = line.split
  if verb == "drop"
    file.close
    puts "dropped"
    next
  end
  file = File.open(ARGV[0], File::RDWR)
  if file.flock((mode == "s" ? File::LOCK_SH : File::LOCK_EX) | File::LOCK_NB)
    puts "held"
  else
    file.close
    puts "busy"
  end
end
