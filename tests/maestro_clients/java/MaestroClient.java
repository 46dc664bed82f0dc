import java.net.http.HttpRequest.BodyPublishers;
import java.util.Map;

/**
 * Both generations of the Java SDK over plain HTTP.
 *
 * <pre>java MaestroClient SERVER LOGIN KEY WORKSPACE AUTOMATION</pre>
 *
 * prints a line of JSON for each scenario: its name, and what went wrong or null. The sources are ASCII, whatever the
 * machine's charset is.
 */
public class MaestroClient extends Wire {
    public static void main(String[] arguments) throws Exception {
        server = arguments[0];
        login = arguments[1];
        key = arguments[2];
        workspace = arguments[3];
        automation = arguments[4];
        token = text(object(Json.read(fine(send(to("/api/v2/workspace/login").header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(Json.write(Json.of("login", login, "key", key)))))))).get("accessToken"));
        FirstGeneration.keep();
        SecondGeneration.keep();
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
                if (at.getClassName().indexOf('.') < 0) said.append("\n  ").append(at);
            return said.toString();
        }
    }
}
