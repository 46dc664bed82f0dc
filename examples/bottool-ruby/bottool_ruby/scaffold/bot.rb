# BOT_ID: greets, works through five items and reports them. Without the arguments of a task it runs offline.
# Started as: ruby bot.rb SERVER TASK TOKEN [WORKSPACE]

require "json"
require "net/http"

ITEMS = 5

# One call to the server's Maestro interface: reads the task, or changes it.
def call(server, task, token, workspace = "", body: nil)
  address = URI("#{server.chomp("/")}/api/v2/task/#{task}")
  headers = { "token" => token, "organization" => workspace.to_s, "Content-Type" => "application/json" }
  answer = Net::HTTP.start(address.host, address.port, use_ssl: address.scheme == "https", read_timeout: 30) do |http|
    body ? http.post(address.path, JSON.generate(body), headers) : http.get(address.path, headers)
  end
  abort "the server answered #{answer.code}" unless answer.is_a?(Net::HTTPSuccess)
  JSON.parse(answer.body.to_s.force_encoding("UTF-8"))
end

task = ARGV.first(4)
connected = task.length >= 3
parameters = connected ? call(*task)["parameters"] || {} : {}
puts "Hello, #{parameters.fetch("name", "world")}!"
1.upto(ITEMS) { |item| puts "item #{item} of #{ITEMS} done" }
if connected
  said = { state: "FINISHED", finishStatus: "SUCCESS", finishMessage: "all items done" }
  call(*task, body: said.merge(totalItems: ITEMS, processedItems: ITEMS, failedItems: 0))
  puts "task #{task[1]} is finished"
end
