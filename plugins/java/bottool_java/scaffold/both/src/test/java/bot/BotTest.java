package bot;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * Runs the bot offline, as nobody's task. Needs no test library:
 *
 * <pre>mvn package &amp;&amp; java -cp "target/classes" src/test/java/bot/BotTest.java</pre>
 */
public final class BotTest {
    public static void main(String[] arguments) throws Exception {
        PrintStream screen = System.out;
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        System.setOut(new PrintStream(said, true, StandardCharsets.UTF_8));
        try {
            Bot.main(new String[0]);
        } finally {
            System.setOut(screen);
        }
        String text = said.toString(StandardCharsets.UTF_8);
        if (!text.contains("Item 5 of 5: done") || !text.contains("Finished.")) {
            throw new AssertionError("the bot said: " + text);
        }
        System.out.println("1 passed, 0 failed");
    }

    private BotTest() {
    }
}
