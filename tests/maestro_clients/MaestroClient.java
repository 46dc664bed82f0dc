import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;

/**
 * Both generations of the Java SDK over plain HTTP: the form calls of 1.x, and the JSON calls of 2.x.
 *
 * <pre>java MaestroClient.java SERVER LOGIN KEY WORKSPACE AUTOMATION</pre>
 *
 * prints a line of JSON for each scenario: its name, and what went wrong or null. Answers are held to what Gson reads:
 * numbers where there are numbers, dates with an offset. The source is ASCII, whatever the machine's charset is.
 */
public class MaestroClient {
    static String server, login, key, workspace, automation;
    static String old = "", token;
    static final HttpClient HTTP = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    static final String OLA = "Ol\u00e1, a\u00e7\u00e3o \u6f22";
    static final Map<String, Play> SCENARIOS = new LinkedHashMap<>();

    interface Play { void run() throws Exception; }

    static void scenario(String name, Play play) { SCENARIOS.put(name, play); }

    // ---- what is checked ----

    static void same(Object wanted, Object found) {
        if (!Objects.equals(wanted, found)) throw new AssertionError("wanted " + wanted + ", found " + found);
    }

    static void check(boolean fine, Object found) {
        if (!fine) throw new AssertionError("found " + found);
    }

    static String text(Object value) {
        check(value instanceof String, value);
        return (String) value;
    }

    static long number(Object value) {
        check(value instanceof Long, value);
        return (Long) value;
    }

    static boolean truth(Object value) {
        check(value instanceof Boolean, value);
        return (Boolean) value;
    }

    /** A date that Gson can make a Date of has an offset. */
    static OffsetDateTime date(Object value) { return OffsetDateTime.parse(text(value)); }

    @SuppressWarnings("unchecked")
    static Map<String, Object> object(Object value) {
        check(value instanceof Map, value);
        return (Map<String, Object>) value;
    }

    @SuppressWarnings("unchecked")
    static List<Object> list(Object value) {
        check(value instanceof List, value);
        return (List<Object>) value;
    }

    /** The task as both SDKs hold it. */
    static Map<String, Object> task(Object value) {
        Map<String, Object> task = object(value);
        number(task.get("id"));
        check(Arrays.asList("START", "RUNNING", "FINISHED", "CANCELED").contains(text(task.get("state"))), task);
        object(task.get("parameters"));
        number(task.get("priority"));
        date(task.get("dateCreation"));
        date(task.get("dateLastModified"));
        for (String name : List.of("test", "interrupted", "killed")) truth(task.get(name));
        for (String name : List.of("activityLabel", "activityName", "agentId", "userCreationName")) text(task.get(name));
        Object status = task.get("finishStatus");
        check(status == null || List.of("SUCCESS", "FAILED", "PARTIALLY_COMPLETED").contains(status), status);
        return task;
    }

    static String unique(String name) { return name + "-" + UUID.randomUUID().toString().substring(0, 12); }

    // ---- the wire ----

    static HttpResponse<byte[]> send(HttpRequest.Builder request) throws Exception {
        return HTTP.send(request.build(), BodyHandlers.ofByteArray());
    }

    static HttpRequest.Builder to(String path) { return HttpRequest.newBuilder(URI.create(server + path)); }

    static String body(HttpResponse<byte[]> answer) { return new String(answer.body(), StandardCharsets.UTF_8); }

    static Object refused(HttpResponse<byte[]> answer) {
        check(answer.statusCode() >= 400 && answer.statusCode() < 500, answer.statusCode() + " " + body(answer));
        return text(object(Json.read(body(answer))).get("message"));
    }

    static String form(String... pairs) {
        StringBuilder made = new StringBuilder();
        for (int at = 0; at < pairs.length; at += 2) {
            made.append(at == 0 ? "" : "&").append(URLEncoder.encode(pairs[at], StandardCharsets.UTF_8)).append('=');
            made.append(URLEncoder.encode(pairs[at + 1], StandardCharsets.UTF_8));
        }
        return made.toString();
    }

    static HttpResponse<byte[]> oldPost(String path, String... pairs) throws Exception {
        String fields = form(pairs) + (pairs.length == 0 ? "" : "&") + form("access_token", old);
        return send(to("/app/api/" + path).header("Content-Type", "application/x-www-form-urlencoded")
            .POST(BodyPublishers.ofString(fields)));
    }

    static HttpResponse<byte[]> oldGet(String path, String... pairs) throws Exception {
        String query = form(pairs) + (pairs.length == 0 ? "" : "&") + form("access_token", old);
        return send(to("/app/api/" + path + "?" + query).GET());
    }

    static String fine(HttpResponse<byte[]> answer) {
        check(answer.statusCode() == 200, answer.statusCode() + " " + body(answer));
        return body(answer);
    }

    /** The message object of 1.x: exactly 200, and a type that its enumeration has. */
    static Map<String, Object> said(HttpResponse<byte[]> answer) {
        Map<String, Object> said = object(Json.read(fine(answer)));
        same("success", said.get("type"));
        return said;
    }

    static Map<String, Object> oldTask(String... pairs) throws Exception {
        List<String> fields = new ArrayList<>(List.of("activityLabel", automation, "taskForTest", "true"));
        fields.addAll(Arrays.asList(pairs));
        return task(Json.read(text(said(oldPost("task/create", fields.toArray(new String[0]))).get("payload"))));
    }

    static String id(Map<String, Object> thing) { return String.valueOf(thing.get("id")); }

    static HttpRequest.Builder signed(String path) {
        return to("/api/v2" + path).header("token", token).header("organization", login);
    }

    static HttpResponse<byte[]> post(String path, Object value) throws Exception {
        return send(signed(path).header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(Json.write(value))));
    }

    static Object posted(String path, Object value) throws Exception { return Json.read(fine(post(path, value))); }

    static Object got(String path) throws Exception { return Json.read(fine(send(signed(path).GET()))); }

    static Map<String, Object> newTask() throws Exception {
        return task(posted("/task", Json.of("activityLabel", automation, "parameters", Json.of(), "test", true)));
    }

    static byte[] multipart(String boundary, String part, String name, byte[] content, String... pairs) {
        StringBuilder head = new StringBuilder();
        for (int at = 0; at < pairs.length; at += 2) {
            head.append("--" + boundary + "\r\nContent-Disposition: form-data; name=\"" + pairs[at] + "\"\r\n\r\n");
            head.append(pairs[at + 1] + "\r\n");
        }
        head.append("--" + boundary + "\r\nContent-Disposition: form-data; name=\"" + part + "\"; filename=\"" + name);
        head.append("\"\r\nContent-Type: application/octet-stream\r\n\r\n");
        byte[] start = head.toString().getBytes(StandardCharsets.UTF_8);
        byte[] end = ("\r\n--" + boundary + "--\r\n").getBytes(StandardCharsets.UTF_8);
        byte[] all = Arrays.copyOf(start, start.length + content.length + end.length);
        System.arraycopy(content, 0, all, start.length, content.length);
        System.arraycopy(end, 0, all, start.length + content.length, end.length);
        return all;
    }

    static HttpResponse<byte[]> upload(HttpRequest.Builder request, String part, String name, byte[] content,
            String... pairs) throws Exception {
        String boundary = UUID.randomUUID().toString();
        return send(request.header("Content-Type", "multipart/form-data; boundary=" + boundary)
            .POST(BodyPublishers.ofByteArray(multipart(boundary, part, name, content, pairs))));
    }

    // ---- 1.x ----

    static void first() {
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

    // ---- 2.x ----

    static void second() {
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

    public static void main(String[] arguments) throws Exception {
        server = arguments[0];
        login = arguments[1];
        key = arguments[2];
        workspace = arguments[3];
        automation = arguments[4];
        token = text(object(Json.read(fine(send(to("/api/v2/workspace/login").header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(Json.write(Json.of("login", login, "key", key)))))))).get("accessToken"));
        first();
        second();
        for (Map.Entry<String, Play> item : SCENARIOS.entrySet())
            System.out.println(Json.write(Json.of("name", item.getKey(), "error", tried(item.getValue()))));
    }

    static String tried(Play play) {
        try {
            play.run();
            return null;
        } catch (Exception | AssertionError error) {
            StringBuilder said = new StringBuilder(error.toString());
            for (StackTraceElement at : error.getStackTrace())
                if (at.getClassName().startsWith("MaestroClient")) said.append("\n  ").append(at);
            return said.toString();
        }
    }
}

/** JSON as far as these calls need it: whole numbers are Long, others Double. */
class Json {
    private final String text;
    private int at;

    private Json(String text) { this.text = text; }

    static Map<String, Object> of(Object... pairs) {
        Map<String, Object> made = new LinkedHashMap<>();
        for (int at = 0; at < pairs.length; at += 2) made.put((String) pairs[at], pairs[at + 1]);
        return made;
    }

    static Object read(String text) {
        Json json = new Json(text);
        Object value = json.value();
        json.blanks();
        if (json.at != text.length()) throw new AssertionError("more than JSON: " + text);
        return value;
    }

    static String write(Object value) {
        if (value instanceof Map) {
            List<String> parts = new ArrayList<>();
            ((Map<?, ?>) value).forEach((name, item) -> parts.add(write(name) + ":" + write(item)));
            return "{" + String.join(",", parts) + "}";
        }
        if (value instanceof List) {
            List<String> parts = new ArrayList<>();
            for (Object item : (List<?>) value) parts.add(write(item));
            return "[" + String.join(",", parts) + "]";
        }
        return value instanceof String ? quoted((String) value) : String.valueOf(value);
    }

    private static String quoted(String value) {
        StringBuilder made = new StringBuilder("\"");
        for (char letter : value.toCharArray()) {
            if (letter == '"' || letter == '\\') made.append('\\').append(letter);
            else if (letter < ' ' || letter > '~') made.append(String.format("\\u%04x", (int) letter));
            else made.append(letter);
        }
        return made.append('"').toString();
    }

    private void blanks() { while (at < text.length() && text.charAt(at) <= ' ') at++; }

    private boolean next(char letter) {
        blanks();
        if (at >= text.length() || text.charAt(at) != letter) return false;
        at++;
        return true;
    }

    private void expect(char letter) {
        if (!next(letter)) throw new AssertionError("no JSON: " + text);
    }

    private Object value() {
        if (next('{')) return members();
        if (next('[')) return items();
        if (next('"')) return string();
        int start = at;
        while (at < text.length() && ",]} \n".indexOf(text.charAt(at)) < 0) at++;
        String word = text.substring(start, at);
        if (word.equals("null")) return null;
        if (word.equals("true") || word.equals("false")) return word.equals("true");
        if (word.matches("-?\\d+")) return Long.valueOf(word);
        return Double.valueOf(word);
    }

    private Map<String, Object> members() {
        Map<String, Object> made = new LinkedHashMap<>();
        if (next('}')) return made;
        do {
            expect('"');
            String name = string();
            expect(':');
            made.put(name, value());
        } while (next(','));
        expect('}');
        return made;
    }

    private List<Object> items() {
        List<Object> made = new ArrayList<>();
        if (next(']')) return made;
        do made.add(value()); while (next(','));
        expect(']');
        return made;
    }

    private String string() {
        StringBuilder made = new StringBuilder();
        while (text.charAt(at) != '"') {
            char letter = text.charAt(at++);
            if (letter != '\\') {
                made.append(letter);
                continue;
            }
            letter = text.charAt(at++);
            int plain = "nrtbf".indexOf(letter);
            if (letter == 'u') {
                made.append((char) Integer.parseInt(text.substring(at, at + 4), 16));
                at += 4;
            } else made.append(plain < 0 ? letter : "\n\r\t\b\f".charAt(plain));
        }
        at++;
        return made.toString();
    }
}
