"""The tests that every language passes."""

from bottool.testing import LanguageContract
from bottool_java.language import Java

SPEAKING = """package bot;

public final class Bot {
    public static void main(String[] arguments) {
        System.out.println("@TEXT@");
        System.exit(@STATUS@);
    }
}
"""


def bot(body: str) -> tuple[str, str]:
    """A bot whose ``main`` has this body."""
    main = "public static void main(String[] arguments) throws Exception"
    return (
        "src/main/java/bot/Bot.java",
        f"package bot;\n\npublic final class Bot {{\n    {main} {{\n{body}\n    }}\n}}\n",
    )


# To ignore a signal takes an interface of the JVM's own; a shutdown hook that never ends does as well.
SLEEPING = """
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                Thread.sleep(600000);
            } catch (InterruptedException interrupted) {
                return;
            }
        }));
        System.out.println("ready");
        Thread.sleep(600000);
"""
FLOODING = """
        byte[] letters = new byte[1048576];
        java.util.Arrays.fill(letters, (byte) 'x');
        for (int number = 0; number < @MEGABYTES@; number++) {
            System.out.write(letters, 0, letters.length);
        }
        System.out.println();
"""
SPAWNING = """
        System.out.println(new ProcessBuilder("setsid", "sleep", "600").start().pid());
"""


class TestJava(LanguageContract):
    language = Java()
    speaks = ("src/main/java/bot/Bot.java", SPEAKING)
    ends = bot("        System.exit(Integer.parseInt(arguments[1]));")
    sleeps = bot(SLEEPING)
    floods = bot(FLOODING)
    spawns = bot(SPAWNING)
