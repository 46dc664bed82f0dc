import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.time.LocalDate;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** The form calls of 1.x. */
class FirstGeneration extends Wire {
    static void keep() {
        scenario("1.x: a login gives a token", () -> old = text(object(Json.read(fine(send(to("/app/api/login")
            .header("Content-Type", "application/x-www-form-urlencoded")
            .POST(BodyPublishers.ofString(form("userLogin", login, "key", key))))))).get("access_token")));

        scenario("1.x: a wrong key is refused with a message", () -> refused(send(to("/app/api/login")
            .header("Content-Type", "application/x-www-form-urlencoded")
            .POST(BodyPublishers.ofString(form("userLogin", login, "key", "wrong"))))));

        scenario("1.x: a call without a token is refused with a message", () ->
            refused(send(to("/app/api/task/get?id=1").GET())));

        scenario("1.x: a task is created with its parameters as fields, and read bare", () -> {
            Map<String, Object> made = oldTask("texto", OLA, "number", "7");
            Map<String, Object> read = task(Json.read(fine(oldGet("task/get", "id", id(made)))));
            same(OLA, object(read.get("parameters")).get("texto"));
            same("7", object(read.get("parameters")).get("number"));
            same(List.of(true, automation, "START"), List.of(read.get("test"), read.get("activityLabel"), read.get("state")));
        });

        scenario("1.x: tasks are a bare array", () -> {
            String made = id(oldTask());
            boolean found = false;
            for (Object item : list(Json.read(fine(oldGet("task/list"))))) found |= id(task(item)).equals(made);
            check(found, made);
        });

        scenario("1.x: a task is finished and started again", () -> {
            String made = id(oldTask());
            said(oldPost("task/finish", "taskId", made, "finishStatus", "PARTIALLY_COMPLETED", "finishMessage", OLA,
                "processedItems", "1"));
            Map<String, Object> read = task(Json.read(fine(oldGet("task/get", "id", made))));
            same(List.of("FINISHED", "PARTIALLY_COMPLETED", OLA),
                List.of(read.get("state"), read.get("finishStatus"), read.get("finishMessage")));
            said(oldPost("task/restart", "id", made));
            same("START", task(Json.read(fine(oldGet("task/get", "id", made)))).get("state"));
        });

        scenario("1.x: alerts and messages are sent", () -> {
            String made = id(oldTask());
            for (String type : List.of("INFO", "WARN", "ERROR"))
                said(oldPost("alert/send", "taskId", made, "title", OLA, "message", OLA, "type", type));
            for (String type : List.of("TEXT", "HTML"))
                said(oldPost("message/send", "email", "someone@mail.example,other@mail.example", "users", "",
                    "subject", OLA, "body", OLA, "type", type, "group", ""));
        });

        scenario("1.x: a log is made, written, read by both forms of a date and both verbs, and deleted", () -> {
            String label = unique("log");
            Object columns = List.of(Json.of("name", "Data", "label", "date", "width", 100L),
                Json.of("name", "Itens", "label", "items", "width", 50L));
            said(oldPost("log/create", "activityLabel", label, "columns", Json.write(columns)));
            said(oldPost("newLogEntry", "logName", label, "columns", Json.write(Json.of("date", OLA, "items", 3L))));

            LocalDate yesterday = LocalDate.now().minusDays(1);
            String java = new java.util.Date(System.currentTimeMillis() - 86_400_000L).toString();
            List<HttpResponse<byte[]>> answers = List.of(
                oldPost("log/read", "activityLabel", label, "date", java),
                oldPost("log/read", "activityLabel", label),
                oldGet("log/read", "activityLabel", label, "date", ""),
                oldGet("log/read", "activityLabel", label, "date",
                    yesterday.format(DateTimeFormatter.ofPattern("dd/MM/yyyy"))));
            for (HttpResponse<byte[]> answer : answers) {
                List<Object> lines = list(Json.read(text(said(answer).get("message"))));
                same(1, lines.size());
                same(Json.of("date", OLA, "items", 3L), object(lines.get(0)).get("columns"));
            }
            check(oldPost("log/download", "activityLabel", label).body().length > 0, "nothing");
            said(oldPost("log/delete", "activityLabel", label));
            refused(oldPost("log/read", "activityLabel", label));
        });

        scenario("1.x: a result file is uploaded as 'body', listed and downloaded", () -> {
            String made = id(oldTask()), name = unique("report") + ".pdf";
            byte[] content = new byte[70_000];
            Arrays.fill(content, (byte) 0xe7);
            said(upload(to("/app/api/newArtifact"), "body", name, content, "taskId", made, "name", name,
                "access_token", old));
            Map<String, Object> found = null;
            for (Object item : list(Json.read(text(said(oldGet("artifact/list")).get("message")))))
                if (name.equals(object(item).get("name"))) found = object(item);
            check(found != null, "nothing");
            HttpResponse<byte[]> file = oldGet("artifact/get", "id", id(found));
            fine(file);
            check(Arrays.equals(content, file.body()), "other bytes");
            String disposition = file.headers().firstValue("Content-Disposition").orElse("");
            // The name is cut out of the end of this header, and there what follows its last "_" goes.
            check(disposition.matches(".*filename=\"" + name.replace(".pdf", "") + "_[^\"_]*\\.pdf\"$"), disposition);
        });

        scenario("1.x: what is not there is refused with a message", () -> {
            refused(oldGet("task/get", "id", "999999999"));
            refused(oldPost("task/create", "activityLabel", unique("none"), "taskForTest", "false"));
            refused(oldPost("task/finish", "taskId", "999999999", "finishStatus", "SUCCESS", "finishMessage", "",
                "processedItems", "1"));
            refused(oldPost("alert/send", "taskId", "999999999", "title", "t", "message", "m", "type", "INFO"));
            refused(oldPost("newLogEntry", "logName", unique("none"), "columns", "{}"));
            refused(oldGet("artifact/get", "id", "999999999"));
            refused(oldGet("nowhere"));
        });
    }
}
