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


class TestJava(LanguageContract):
    language = Java()
    speaks = ("src/main/java/bot/Bot.java", SPEAKING)
