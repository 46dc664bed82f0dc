import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

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
