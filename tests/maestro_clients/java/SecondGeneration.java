import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.OffsetDateTime;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** The JSON calls of 2.x. */
class SecondGeneration extends Wire {
    static void keep() {
        scenario("2.x: a task is created, interrupted, finished and started again", () -> {
            Map<String, Object> parameters = Json.of("texto", OLA, "number", 7L, "share", 0.5, "yes", true);
            Map<String, Object> made = task(posted("/task", Json.of("activityLabel", automation, "parameters", parameters,
                "test", true, "priority", 5L, "minExecutionDate", "2030-01-01T10:00:00")));
            same(parameters, task(got("/task/" + id(made))).get("parameters"));
            same(OffsetDateTime.parse("2030-01-01T10:00:00Z").toInstant(), date(made.get("minExecutionDate")).toInstant());
            same(true, task(posted("/task/" + id(made), Json.of("interrupted", true))).get("interrupted"));
            Map<String, Object> done = task(posted("/task/" + id(made), Json.of("state", "FINISHED", "finishStatus",
                "SUCCESS", "finishMessage", OLA, "totalItems", 2L, "processedItems", 1L, "failedItems", 1L)));
            same(List.of("FINISHED", "SUCCESS", OLA, 2L, 1L, 1L), List.of(done.get("state"), done.get("finishStatus"),
                done.get("finishMessage"), done.get("totalItems"), done.get("processedItems"), done.get("failedItems")));
            same("START", task(posted("/task/" + id(made), Json.of("state", "START"))).get("state"));
        });

        scenario("2.x: alerts have a number for a task and a date with an offset", () -> {
            Map<String, Object> made = newTask();
            Map<String, Object> alert = object(posted("/alerts",
                Json.of("taskId", id(made), "title", OLA, "message", OLA, "type", "WARN")));
            same(List.of(made.get("id"), "WARN"), List.of(number(alert.get("taskId")), alert.get("type")));
            date(alert.get("date"));
            fine(post("/message", Json.of("emails", List.of("someone@mail.example"), "logins", List.of(), "subject", OLA,
                "body", OLA, "type", "HTML")));
        });

        scenario("2.x: a log has columns with widths, and entries with dates", () -> {
            String label = unique("log");
            Object columns = List.of(Json.of("name", "A", "label", "a", "width", 10L));
            posted("/log", Json.of("activityLabel", label, "columns", columns));
            fine(post("/log/" + label + "/entry", Json.of("a", OLA)));
            Map<String, Object> log = object(got("/log/" + label));
            date(log.get("dateCreation"));
            same(10L, number(object(list(log.get("columns")).get(0)).get("width")));
            Map<String, Object> line = object(list(got("/log/" + label + "/entry-list?days=2")).get(0));
            same(Json.of("a", OLA), line.get("columns"));
            date(line.get("dateCreation"));
            fine(send(signed("/log/" + label).DELETE()));
        });

        scenario("2.x: a result file comes back as it went", () -> {
            byte[] content = OLA.getBytes(StandardCharsets.UTF_8);
            Map<String, Object> made = newTask();
            Map<String, Object> artifact = object(posted("/artifact",
                Json.of("taskId", made.get("id"), "name", "a.txt", "filename", "a.txt")));
            number(artifact.get("id"));
            HttpResponse<byte[]> put = upload(signed("/artifact/log/" + id(artifact)), "file", "a.txt", content);
            check(put.statusCode() / 100 == 2, put.statusCode() + body(put));
            Map<String, Object> read = object(got("/artifact/" + id(artifact)));
            same(List.of("a.txt", made.get("id")), List.of(read.get("fileName"), number(read.get("taskId"))));
            date(read.get("dateCreation"));
            check(Arrays.equals(content, send(signed("/artifact/" + id(artifact) + "/file").GET()).body()), "other bytes");
        });

        scenario("2.x: an error of Java is kept", () -> {
            HttpResponse<byte[]> answer = post("/error", Json.of("taskId", newTask().get("id"), "type",
                "java.lang.IllegalStateException", "message", OLA, "stackTrace", "at Bot.java:1", "language", "JAVA",
                "tags", Json.of("customer", OLA)));
            same(201, answer.statusCode());
            check(object(Json.read(body(answer))).get("id") != null, body(answer));
        });

        scenario("2.x: a credential is read as it was written", () -> {
            String label = unique("keys");
            refused(send(signed("/credential/" + label).GET()));
            posted("/credential", Json.of("label", label, "secrets",
                List.of(Json.of("key", "user", "value", OLA, "valid", true))));
            posted("/credential/" + label + "/key", Json.of("key", "pass", "value", "42"));
            same(OLA, fine(send(signed("/credential/" + label + "/key/user").GET())));
            same("42", fine(send(signed("/credential/" + label + "/key/pass").GET())));
        });
    }
}
