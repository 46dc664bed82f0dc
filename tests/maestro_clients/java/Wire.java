import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;

/**
 * What both generations share: the scenarios that are kept, what is checked, and the wire.
 *
 * <p>Answers are held to what Gson reads: numbers where there are numbers, dates with an offset.
 */
abstract class Wire {
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
}
