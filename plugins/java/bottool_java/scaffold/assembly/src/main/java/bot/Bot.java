package bot;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;

/**
 * The bot "__BOT_ID__".
 *
 * <p>A runner starts it with four arguments: the server's address, the task's number, a token for this task, and the
 * workspace. Without arguments it runs offline, which is handy while you write it.
 */
public final class Bot {
    private static final int ITEMS = 5;

    public static void main(String[] arguments) throws IOException, InterruptedException {
        Task task = arguments.length >= 3 ? new Task(arguments[0], arguments[1], arguments[2]) : null;
        if (task == null) {
            System.out.println("No task given: running offline.");
        } else {
            System.out.println("Task " + arguments[1] + ", parameters: " + task.parameters());
        }
        for (int item = 1; item <= ITEMS; item++) {
            System.out.println("Item " + item + " of " + ITEMS + ": done");
        }
        if (task != null) {
            task.finish(ITEMS);
        }
        System.out.println("Finished.");
    }

    /** The task on the server, as far as this bot needs it. */
    private static final class Task {
        private final HttpClient client = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(10))
            .build();
        private final URI address;
        private final String token;

        Task(String server, String number, String token) {
            this.address = URI.create(server.replaceAll("/+$", "") + "/api/v2/task/" + number);
            this.token = token;
        }

        /** What the task was given; read one by {@code parameters().get("name").getAsString()}. */
        JsonObject parameters() throws IOException, InterruptedException {
            JsonObject said = JsonParser.parseString(send(request().GET())).getAsJsonObject();
            return said.has("parameters") ? said.getAsJsonObject("parameters") : new JsonObject();
        }

        void finish(int items) throws IOException, InterruptedException {
            JsonObject body = new JsonObject();
            body.addProperty("state", "FINISHED");
            body.addProperty("finishStatus", "SUCCESS");
            body.addProperty("finishMessage", "All " + items + " items are done.");
            body.addProperty("totalItems", items);
            body.addProperty("processedItems", items);
            body.addProperty("failedItems", 0);
            send(request()
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body.toString())));
        }

        private HttpRequest.Builder request() {
            return HttpRequest.newBuilder(address).timeout(Duration.ofSeconds(30)).header("token", token);
        }

        private String send(HttpRequest.Builder request) throws IOException, InterruptedException {
            HttpResponse<String> response = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
            if (response.statusCode() >= 300) {
                throw new IOException(address + " answered " + response.statusCode() + ": " + response.body());
            }
            return response.body();
        }
    }

    private Bot() {
    }
}
