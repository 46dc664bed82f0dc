"""What every language passes. Each bot is a file of the scaffolded bot and its new text."""

from bottool_ruby.language import Ruby

from bottool.testing import LanguageContract

SLEEPING = 'trap("TERM") {}\n$stdout.sync = true\nputs "ready"\nloop { sleep 600 }\n'
FLOODING = '@MEGABYTES@.times { print "x" * 1_048_576 }\nputs\n'
SPAWNING = 'child = spawn("sleep", "600", pgroup: true)\nputs child\n'


class TestRuby(LanguageContract):
    language = Ruby()
    speaks = ("bot.rb", 'puts "@TEXT@"\nexit @STATUS@\n')
    ends = ("bot.rb", "exit ARGV[1].to_i\n")
    sleeps = ("bot.rb", SLEEPING)
    floods = ("bot.rb", FLOODING)
    spawns = ("bot.rb", SPAWNING)
    depends = ("Gemfile.lock", "GEM\n  specs:\n    rake (13.0.1)\n", "GEM\n  specs:\n    rake (13.0.2)\n")
